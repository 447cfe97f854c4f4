"""Write what the gated network of neutone_sdk 1.5.2 gives: python tools/make_gcn_references.py tests/data/gcn_1x.npz.

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

from neutone_sdk.gcn_1d import GCN1D, GCN1DBlock, TFiLM

N_SAMPLES = 61  # no whole number of modulation blocks
SMALL = {"n_blocks": 3, "n_channels": 3, "kernel_size": 4, "dil_growth": 3, "tfilm_block_size": 8}

CASES: dict[str, tuple[type[nn.Module], dict[str, Any]]] = {
    "GCN1D": (GCN1D, SMALL),
    "GCN1D condition": (GCN1D, {**SMALL, "cond_dim": 2}),
    "GCN1D gru": (GCN1D, {**SMALL, "cond_dim": 1, "rnn_type": "gru", "in_ch": 2, "out_ch": 2}),
    "GCN1D bias": (GCN1D, {**SMALL, "cond_dim": 1, "use_bias_in_conv": True}),
    "GCN1D no activation": (GCN1D, {**SMALL, "use_act": False}),
    "GCN1DBlock": (GCN1DBlock, {"in_ch": 2, "out_ch": 3, "dilation": 2, "cond_dim": 2, "tfilm_block_size": 8}),
    "TFiLM": (TFiLM, {"n_channels": 3, "cond_dim": 2, "tfilm_block_size": 8}),
    "TFiLM unconditioned": (TFiLM, {"n_channels": 3, "cond_dim": 0, "tfilm_block_size": 8, "rnn_type": "GRU"}),
}


def reference(kind: type[nn.Module], arguments: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return one case, without the case's name."""
    module = kind(**arguments).eval()
    state = {f"state/{name}": tensor.numpy().copy() for name, tensor in module.state_dict().items()}
    inputs = [torch.randn(2, arguments.get("n_channels", 1) if kind is TFiLM else arguments.get("in_ch", 1), N_SAMPLES)]
    if arguments.get("cond_dim", 0) > 0:
        inputs.append(torch.randn(2, arguments["cond_dim"]))
    with torch.no_grad():
        y = module(*inputs)
    record = {"arguments": np.array(json.dumps(arguments)), "x": inputs[0].numpy(), "y": y.numpy()}
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
