"""What the streaming transform is made with: wrong arguments, and attributes that older code reads."""

from typing import Any

import pytest
import torch

from neutone_sdk.realtime_stft import RealtimeSTFT


def test_attributes_of_older_code() -> None:
    stft = RealtimeSTFT(io_n_samples=1024)
    assert (stft.io_n_samples, stft.io_n_frames, stft.n_bins, stft.model_io_shape) == (1024, 2, 1025, (2, 1025, 16))
    stft.set_buffer_size(512)
    assert (stft.io_n_samples, stft.io_n_frames) == (512, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"hop_len": 2048, "io_n_samples": 2048},
            "window must not vanish.*0 samples",
        ),
        ({"window": torch.hann_window(1024)}, r"window must have shape \(2048,\)"),
        ({"window": torch.zeros(2048)}, "not 0 everywhere"),
        ({"window": torch.full((2048,), torch.nan)}, "finite"),
        ({"hop_len": 4096}, "hop_len must be at most n_fft, 2048"),
        ({"hop_len": 0}, "hop_len must be at least 1"),
        ({"n_fft": 0}, "n_fft must be at least 1"),
        ({"io_n_samples": 500}, "multiple of hop_len, 512"),
        ({"io_n_samples": 0}, "multiple of hop_len, 512"),
        ({"io_n_samples": 512 * 17}, "model_io_n_frames times it, 8192, got 8704"),
        ({"power": 0.5}, "power must be None or at least 1, got 0.5"),
        ({"power": None}, "pass logarithmize=False"),
        ({"eps": 0.0}, "eps must be above 0"),
        ({"fade_n_samples": -1}, "fade_n_samples must be at least 0"),
        ({"io_n_ch": 0}, "io_n_ch must be at least 1"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RealtimeSTFT(**arguments)


@pytest.mark.parametrize(
    "arguments", [{"n_fft": 2048.0}, {"window": [1.0]}, {"power": "1"}, {"io_n_samples": "512"}, {"eps": None}]
)
def test_arguments_of_another_type_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=f"{next(iter(arguments))} must be"):
        RealtimeSTFT(**arguments)
