"""What biquads and the state-variable filter refuse, by the name of the argument."""

from typing import Any

import pytest
import torch
from torch import Tensor

from .operator_examples import audio, ops, sections, svf_with


def biquad_state(n_sections: int = 2) -> Tensor:
    return torch.zeros(2, n_sections, 2, dtype=torch.float64)


def with_coefficient(column: int, value: float) -> Tensor:
    sos = sections()
    sos[1, column] = value
    return sos


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"cutoff_hz": torch.ones(5)}, r"cutoff_hz must have 3 dimensions, got shape \(5\)"),
        ({"cutoff_hz": torch.ones(3, 5, 1)}, r"cutoff_hz must have shape \(1 or 2, 1 or 5, 1\), got \(3, 5, 1\)"),
        ({"cutoff_hz": torch.ones(2, 4, 1)}, r"cutoff_hz must have shape \(1 or 2, 1 or 5, 1\), got \(2, 4, 1\)"),
        ({"cutoff_hz": torch.ones(2, 5, 3)}, r"cutoff_hz must have shape \(1 or 2, 1 or 5, 1\), got \(2, 5, 3\)"),
        ({"cutoff_hz": torch.ones(0, 5, 1)}, r"cutoff_hz must have shape"),
        ({"resonance": torch.ones(2, 5, 1).double()}, "resonance must be float32, got float64"),
        ({"resonance": torch.ones(2, 5)}, "resonance must have 3 dimensions"),
        ({"mix": torch.ones(2, 5, 1)}, r"mix must have shape \(1 or 2, 1 or 5, 3\), got \(2, 5, 1\)"),
        ({"mix": torch.ones(2, 0, 3)}, r"mix must have shape"),
        ({"sample_rate_hz": 0.0}, r"sample_rate_hz must be in 1\.\.768000, got 0"),
        ({"sample_rate_hz": float("nan")}, r"sample_rate_hz must be in 1\.\.768000, got nan"),
        ({"state": torch.zeros(2, 7)}, "state must be float64, got float32"),
        ({"state": torch.zeros(7).double()}, "state must have 2 dimensions"),
        ({"state": torch.zeros(3, 7).double()}, r"state must have shape \(2, 7\), got \(3, 7\)"),
        ({"state": torch.zeros(2, 6).double()}, r"state must have shape \(2, 7\), got \(2, 6\)"),
        ({"state": torch.zeros(7, 2).double().T}, "state must be contiguous"),
    ],
)
def test_a_state_variable_filter_of_the_wrong_kind_is_refused_by_name(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(RuntimeError, match=f"svf: {message}"):
        ops.svf(*svf_with(**changed))


def test_a_state_variable_filter_does_not_filter_its_own_state() -> None:
    state = torch.zeros(2, 7, dtype=torch.float64)
    with pytest.raises(RuntimeError, match="svf: audio lies in the memory of state"):
        ops.svf(*svf_with(audio=state.view(torch.float32)[:, :5], state=state))
    with pytest.raises(RuntimeError, match="svf: mix lies in the memory of state"):
        ops.svf(*svf_with(mix=state.view(torch.float32)[:, None, 3:6], state=state))


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("biquad", (audio(), sections().float(), biquad_state()), "sos must be float64, got float32"),
        ("biquad", (audio(), sections()[:, :5].clone(), biquad_state()), r"sos must have 6 columns, got 5"),
        ("biquad", (audio(), sections().T.contiguous().T, biquad_state()), "sos must be contiguous"),
        ("biquad", (audio(), sections().repeat(33, 1), biquad_state(66)), "sos must have at most 64 rows, got 66"),
        ("biquad", (audio(), with_coefficient(3, 0.0), biquad_state()), "row 1 of sos has a0 = 0"),
        ("biquad", (audio(), with_coefficient(5, 2.0), biquad_state()), "row 1 of sos is unstable"),
        ("biquad", (audio(), with_coefficient(4, -3.0), biquad_state()), "row 1 of sos is unstable"),
        ("biquad", (audio(), with_coefficient(0, float("nan")), biquad_state()), "row 1 of sos is not finite"),
        ("biquad", (audio(), sections(), biquad_state(3)), r"state must have shape \(2, 2, 2\), got \(2, 3, 2\)"),
        ("biquad", (audio(3), sections(), biquad_state()), r"state must have shape \(3, 2, 2\)"),
        ("biquad", (audio(), sections(), biquad_state().float()), "state must be float64"),
        ("biquad", (audio(), sections(), torch.zeros(2, 4)), "state must have 3 dimensions"),
    ],
)
def test_counts_that_do_not_fit_are_refused(name: str, arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(RuntimeError, match=f"{name}: .*{message}"):
        getattr(ops, name)(*arguments)
