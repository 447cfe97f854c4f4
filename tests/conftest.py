"""What all tests share: repeatable examples of Hypothesis, the versions in the header, and noise from a seed."""

from typing import Protocol

import pytest
import torch
from hypothesis import settings
from torch import Tensor

import neutone_sdk

# The same examples on every machine, so that what is green here is green there. To look for others:
# pytest --hypothesis-profile=default
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")


class Noise(Protocol):
    """Makes float32 audio ``(channels, samples)``, uniform in -1..1; the same seed gives the same audio."""

    def __call__(self, channels: int, samples: int, seed: int) -> Tensor: ...


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Threads that share a small product wait for each other, on a busy machine longer than they work."""
    torch.set_num_threads(1)


def pytest_report_header() -> str:
    return f"torch {torch.__version__}, neutone_sdk {neutone_sdk.__version__}"


@pytest.fixture(scope="session")
def noise() -> Noise:
    """Of the session, so that property tests may use it too."""

    def make(channels: int, samples: int, seed: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        return 2.0 * torch.rand(channels, samples, generator=generator) - 1.0

    return make
