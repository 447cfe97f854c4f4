"""Renders a file through a plugin in DawDreamer: PLUGIN IN.npy OUT.npy RATE_HZ CONTROLS. Runs without torch."""

import json
import sys
from importlib.util import find_spec

import dawdreamer
import numpy as np

BLOCK_FRAMES = 512


def main() -> None:
    plugin_path, source, target, rate_hz, controls = sys.argv[1:]
    assert find_spec("torch") is None
    audio = np.load(source)
    engine = dawdreamer.RenderEngine(int(rate_hz), BLOCK_FRAMES)
    player = engine.make_playback_processor("audio", audio)
    plugin = engine.make_plugin_processor("plugin", plugin_path)
    indices = {about["name"]: about["index"] for about in plugin.get_parameters_description()}
    for name, value in json.loads(controls).items():
        plugin.set_parameter(indices[name], value)
    engine.load_graph([(player, []), (plugin, ["audio"])])
    engine.render(audio.shape[1] / int(rate_hz))
    np.save(target, engine.get_audio())
    controls_now = {name: plugin.get_parameter(index) for name, index in indices.items()}
    print(json.dumps({"latency": plugin.get_latency_samples(), "controls": controls_now}))


main()
