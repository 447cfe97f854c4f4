"""Write what model blocks of neutone_sdk 1.5.2 give: python tools/make_block_references.py tests/data/blocks_1x.npz.

Run it in an environment with that version, such as the one that ``benchmarks/reference_sdk.py`` makes. The file holds,
for each case, ``case/arguments`` (JSON), ``case/state/*`` (the state dict), ``case/x``, ``case/cond`` and ``case/y``.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from neutone_sdk.conv import Conv1dGeneral
from neutone_sdk.tcn_1d import TCN1D, TCN1DBlock

N_SAMPLES = 96
SMALL = {"n_blocks": 3, "n_channels": 4, "kernel_size": 5, "dil_growth": 3}

CASES: dict[str, tuple[type[nn.Module], dict[str, Any]]] = {
    "TCN1D same": (TCN1D, SMALL),
    "TCN1D valid": (TCN1D, {**SMALL, "padding": 0}),
    "TCN1D even kernel": (TCN1D, {**SMALL, "kernel_size": 4}),
    "TCN1D condition": (TCN1D, {**SMALL, "cond_dim": 2, "use_bn": True}),
    "TCN1D stereo": (TCN1D, {**SMALL, "in_ch": 2, "out_ch": 3, "use_bn": True, "use_bias_in_conv": False}),
    "TCN1DBlock groups": (
        TCN1DBlock,
        {"in_ch": 2, "out_ch": 4, "kernel_size": 3, "dilation": 2, "res_groups": 2, "prelu_ch": 4},
    ),
    "TCN1DBlock bare": (
        TCN1DBlock,
        {"in_ch": 2, "out_ch": 4, "kernel_size": 3, "dilation": 2, "use_res": False, "use_act": False, "padding": 3},
    ),
    "Conv1dGeneral causal": (Conv1dGeneral, {"in_channels": 2, "out_channels": 3, "kernel_size": 4, "dilation": 3}),
    "Conv1dGeneral reflect": (
        Conv1dGeneral,
        {"in_channels": 2, "out_channels": 3, "kernel_size": 4, "causal": False, "padding_mode": "reflect"},
    ),
    "Conv1dGeneral cached": (
        Conv1dGeneral,
        {"in_channels": 2, "out_channels": 3, "kernel_size": 4, "causal": False, "cached": True},
    ),
}


def randomised(module: nn.Module) -> nn.Module:
    """Return the module in eval mode with other statistics than batch normalisation begins with."""
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm1d):
            layer.load_state_dict(
                {"running_mean": torch.randn(layer.num_features), "running_var": 0.5 + torch.rand(layer.num_features)},
                strict=False,
            )
    return module.eval()


def reference(kind: type[nn.Module], arguments: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return one case, without the case's name."""
    module = randomised(kind(**arguments))
    state = {f"state/{name}": tensor.numpy().copy() for name, tensor in module.state_dict().items()}
    x = torch.randn(2, arguments.get("in_channels", arguments.get("in_ch", 1)), N_SAMPLES)
    inputs = [x]
    if "cond_dim" in arguments:
        inputs.append(torch.randn(2, arguments["cond_dim"]))
    with torch.no_grad():
        y = module(*inputs)
    record = {"arguments": np.array(json.dumps(arguments)), "x": x.numpy(), "y": y.numpy()}
    return record | state | ({"cond": inputs[1].numpy()} if len(inputs) > 1 else {})


def main() -> None:
    """Write all cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    file = parser.parse_args().file
    torch.manual_seed(0)
    arrays = {f"{case}/{name}": array for case in CASES for name, array in reference(*CASES[case]).items()}
    np.savez_compressed(file, allow_pickle=False, **arrays)


if __name__ == "__main__":
    main()
