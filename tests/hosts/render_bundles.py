"""Renders a file through VST3s in one process of pedalboard: IN.npy OUT.npy RATE_HZ PLUGIN... Runs without torch."""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pedalboard


def main() -> None:
    source, target, rate_hz, *paths = sys.argv[1:]
    assert find_spec("torch") is None
    audio = np.load(source)
    plugins = [pedalboard.load_plugin(path) for path in paths]  # all are there before the first plays
    played = []
    for plugin in plugins:
        plugin.offline_wait = True
        played.append(plugin.process(audio, float(rate_hz), buffer_size=480, reset=True))
    np.save(target, np.stack(played))
    maps = [line.split(maxsplit=5)[-1] for line in Path("/proc/self/maps").read_text().splitlines()]
    report = {
        "names": [plugin.name for plugin in plugins],
        "identifiers": [plugin.identifier for plugin in plugins],
        "parameters": [[parameter.name for parameter in plugin.parameters.values()] for plugin in plugins],
        "libraries": sorted(
            {file for file in maps if Path(file).name.startswith(("libtorch", "libc10", "libneutone"))}
        ),
    }
    print(json.dumps(report))


main()
