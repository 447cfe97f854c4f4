"""Models that hosts play."""

from collections.abc import Callable
from pathlib import Path

import pytest
from torch import nn

from tests.wrappers import PassThrough, card, export_quickly


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Return files of models that return what they get, with as many channels as asked for, at any rate."""

    def export(channels: int) -> Path:
        is_mono = channels == 1
        facts = card(is_input_mono=is_mono, is_output_mono=is_mono, native_buffer_sizes=[512])
        return export_quickly(tmp_path_factory.mktemp("identity"), PassThrough(nn.Identity(), card=facts))

    files = {channels: export(channels) for channels in (1, 2)}
    return files.__getitem__
