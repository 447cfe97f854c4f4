"""Write what model blocks of neutone_sdk 1.5.2 give: python tools/make_block_references.py tests/data.

Run it in an environment with that version, such as the one that ``benchmarks/reference_sdk.py`` makes. Each file holds,
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
from neutone_sdk.gcn_1d import GCN1D, GCN1DBlock, TFiLM
from neutone_sdk.tcn_1d import TCN1D, TCN1DBlock

Cases = dict[str, tuple[type[nn.Module], dict[str, Any]]]

SMALL = {"n_blocks": 3, "n_channels": 4, "kernel_size": 5, "dil_growth": 3}
CONVOLUTIONAL: Cases = {
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

SMALL_GCN = {"n_blocks": 3, "n_channels": 3, "kernel_size": 4, "dil_growth": 3, "tfilm_block_size": 8}
MODULATED: Cases = {
    "GCN1D": (GCN1D, SMALL_GCN),
    "GCN1D condition": (GCN1D, {**SMALL_GCN, "cond_dim": 2}),
    "GCN1D gru": (GCN1D, {**SMALL_GCN, "cond_dim": 1, "rnn_type": "gru", "in_ch": 2, "out_ch": 2}),
    "GCN1D bias": (GCN1D, {**SMALL_GCN, "cond_dim": 1, "use_bias_in_conv": True}),
    "GCN1D no activation": (GCN1D, {**SMALL_GCN, "use_act": False}),
    "GCN1DBlock": (GCN1DBlock, {"in_ch": 2, "out_ch": 3, "dilation": 2, "cond_dim": 2, "tfilm_block_size": 8}),
    "TFiLM": (TFiLM, {"n_channels": 3, "cond_dim": 2, "tfilm_block_size": 8}),
    "TFiLM unconditioned": (TFiLM, {"n_channels": 3, "cond_dim": 0, "tfilm_block_size": 8, "rnn_type": "GRU"}),
}

# From a file's name to its cases, and the samples of a clip: 61 are no whole number of modulation blocks.
FILES = {"blocks_1x.npz": (CONVOLUTIONAL, 96), "gcn_1x.npz": (MODULATED, 61)}


def randomised(module: nn.Module) -> nn.Module:
    """Return the module in eval mode with other statistics than batch normalisation begins with."""
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm1d):
            layer.load_state_dict(
                {"running_mean": torch.randn(layer.num_features), "running_var": 0.5 + torch.rand(layer.num_features)},
                strict=False,
            )
    return module.eval()


def n_channels(kind: type[nn.Module], arguments: dict[str, Any]) -> int:
    """Return how many channels the input of a case has."""
    return arguments["n_channels"] if kind is TFiLM else arguments.get("in_channels", arguments.get("in_ch", 1))


def reference(kind: type[nn.Module], arguments: dict[str, Any], n_samples: int) -> dict[str, np.ndarray]:
    """Return one case, without the case's name."""
    module = randomised(kind(**arguments))
    state = {f"state/{name}": tensor.numpy().copy() for name, tensor in module.state_dict().items()}
    inputs = [torch.randn(2, n_channels(kind, arguments), n_samples)]
    if arguments.get("cond_dim", 0) > 0:
        inputs.append(torch.randn(2, arguments["cond_dim"]))
    with torch.no_grad():
        y = module(*inputs)
    record = {"arguments": np.array(json.dumps(arguments)), "x": inputs[0].numpy(), "y": y.numpy()}
    return record | state | ({"cond": inputs[1].numpy()} if len(inputs) > 1 else {})


def main() -> None:
    """Write all files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for name, (cases, n_samples) in FILES.items():
        torch.manual_seed(0)
        references = {case: reference(*cases[case], n_samples) for case in cases}
        arrays = {f"{case}/{key}": array for case, arrays in references.items() for key, array in arrays.items()}
        np.savez_compressed(folder / name, allow_pickle=False, **arrays)


if __name__ == "__main__":
    main()
