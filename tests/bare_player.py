"""Play a model in a process that has torch and nothing else: bare_player.py MODEL IN.pt OUT.pt [OPERATORS].

IN.pt holds audio; OUT.pt gets a list, for each of SETTINGS what the model plays. OPERATORS is a library to load first.
"""

import sys
import warnings

import torch

SETTINGS = [(48_000, 64), (44_100, 333), (48_000, 512)]


def play(path: str, audio: torch.Tensor) -> list[torch.Tensor]:
    """Return what the model plays in hosts of several rates and block sizes, from silence."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of TorchScript's age
        model = torch.jit.load(path)
    played = []
    for rate_hz, block in SETTINGS:
        model.set_daw_sample_rate_and_buffer_size(rate_hz, block)
        n_samples = audio.size(1) // block * block
        with torch.no_grad():
            played.append(torch.cat([model(part) for part in audio[:, :n_samples].split(block, dim=1)], dim=1))
    return played


if __name__ == "__main__":
    torch.set_num_threads(1)
    for library in sys.argv[4:]:
        torch.ops.load_library(library)
    torch.save(play(sys.argv[1], torch.load(sys.argv[2])), sys.argv[3])
    if any(name.startswith("neutone_sdk") for name in sys.modules):
        sys.exit("the package was imported")
