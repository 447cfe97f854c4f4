"""Renders a file through a plugin in pedalboard: PLUGIN IN.npy OUT.npy RATE_HZ CONTROLS. Runs without torch."""

import json
import sys
from importlib.util import find_spec

import numpy as np
import pedalboard


def main() -> None:
    plugin_path, source, target, rate_hz, controls = sys.argv[1:]
    assert find_spec("torch") is None
    plugin = pedalboard.load_plugin(plugin_path)
    by_name = {parameter.name: parameter for parameter in plugin.parameters.values()}
    for name, value in json.loads(controls).items():
        by_name[name].raw_value = value
    np.save(target, plugin.process(np.load(source), float(rate_hz), buffer_size=480, reset=True))
    print(json.dumps({"controls": {name: float(parameter.raw_value) for name, parameter in by_name.items()}}))


main()
