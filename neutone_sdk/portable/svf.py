"""The state-variable filter, as csrc/ops/svf_op.cpp, many samples at a time.

csrc/dsp/svf_coefficients.h has the equations. A frame maps the integrators, a column ``s``, to ``M s + v``: M follows
the controls, v the audio. Such maps in a row are one such map. Blocks of about sqrt(n) frames compose theirs side by
side, one frame after the other; the maps of whole blocks lead from block to block; and what was composed up to each
frame leads there from the start of its block. No map adds energy, so that to compose them is as exact as to apply them.
"""

import math

import torch
from torch import Tensor

from neutone_sdk.portable.tensors import check_frames, check_memory, check_tensor
from neutone_sdk.portable.text import shape_of


def svf(
    audio: Tensor, cutoff_hz: Tensor, resonance: Tensor, mix: Tensor, sample_rate_hz: float, state: Tensor
) -> Tensor:
    """Filter a block. What is not finite comes out, and with the next frame its channel starts anew.

    Args:
        audio: ``(channels, n)``, float32.
        cutoff_hz: ``(channels or 1, n or 1, 1)``, float32. As with all controls, what lies outside its range is moved
            to the nearest bound, and NaN keeps the value before.
        resonance: As a Q, the same shape.
        mix: Of band, low and high, ``(channels or 1, n or 1, 3)``.
        sample_rate_hz: 1 to 768000.
        state: ``(channels, 7)``, float64, zeros for a fresh start: the integrators, and the latest value of each
            control. Written to.

    Returns:
        ``(channels, n)``, float32, fresh.

    Raises:
        RuntimeError: A shape or dtype is another, or the rate lies outside its range.
    """
    check_frames("svf", "audio", audio)
    _check_control("cutoff_hz", cutoff_hz, audio, 1)
    _check_control("resonance", resonance, audio, 1)
    _check_control("mix", mix, audio, 3)
    if not (sample_rate_hz >= 1.0 and sample_rate_hz <= 768_000.0):
        raise RuntimeError(f"svf: sample_rate_hz must be in 1..768000, got {sample_rate_hz}")
    check_memory("svf", "state", state, 2, torch.float64)
    if state.size(0) != audio.size(0) or state.size(1) != 7:
        raise RuntimeError(f"svf: state must have shape ({audio.size(0)}, 7), got {shape_of(state)}")
    filtered, left = filter_svf(
        audio.detach(), cutoff_hz.detach(), resonance.detach(), mix.detach(), sample_rate_hz, state
    )
    state.copy_(left)
    return filtered


def filter_svf(
    audio: Tensor, cutoff_hz: Tensor, resonance: Tensor, mix: Tensor, sample_rate_hz: float, state: Tensor
) -> tuple[Tensor, Tensor]:
    """Return what `svf` does, and the state after it. Nothing is checked, or written to."""
    integrators = torch.where(state[:, :2].abs() < 1e300, state[:, :2], 0.0)  # beyond that it is no filter's
    latest = state[:, 2:]
    filtered: list[Tensor] = []
    for first in range(0, audio.size(1), 4096):
        end = min(first + 4096, audio.size(1))
        max_hz = 0.5 * (1.0 - 1e-4) * sample_rate_hz
        cutoff = _held(_frames_of(cutoff_hz, first, end), 1e-4, max_hz, latest[:, :1])
        q = _held(_frames_of(resonance, first, end), 1e-4, 1e6, latest[:, 1:2])
        outputs = _held(_frames_of(mix, first, end), -1e6, 1e6, latest[:, 2:])
        latest = torch.cat([control[:, -1].expand(audio.size(0), -1) for control in [cutoff, q, outputs]], 1)
        part, integrators = _run(audio[:, first:end], math.pi / sample_rate_hz * cutoff, q, outputs, integrators)
        filtered.append(part)
    if len(filtered) != 1:
        filtered.append(torch.empty_like(audio[:, :0]))
    return torch.cat(filtered, 1), torch.cat([integrators, latest], 1)


def _frames_of(control: Tensor, first: int, end: int) -> Tensor:
    return control if control.size(1) == 1 else control[:, first:end]


def _held(control: Tensor, minimum: float, maximum: float, before: Tensor) -> Tensor:
    """Return a control in float64, within bounds. NaN becomes the value before, at first ``before``."""
    values = control.clamp(minimum, maximum).double()
    if not bool(torch.isnan(values.sum())):
        return values
    first = torch.nan_to_num(before, 0.0).clamp(minimum, maximum)[:, None]
    values = torch.cat([first, values.expand(before.size(0), -1, -1)], 1)
    frames = torch.arange(values.size(1))[None, :, None]
    latest = torch.where(torch.isnan(values), 0, frames).cummax(1)[0]
    return values.gather(1, latest)[:, 1:]


def _run(audio: Tensor, angle: Tensor, q: Tensor, mix: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
    """Filter ``(channels, n)``, n >= 1, from the integrators ``(channels, 2)`` on, and return them after it, too."""
    x = audio.double()
    sine = torch.sin(angle[:, :, 0])
    q = q[:, :, 0]
    product = sine * torch.cos(angle[:, :, 0])
    squared = q * sine * sine
    scale = 2.0 / (q + product)
    keep = 1.0 - (squared + product) * scale
    cross = q * product * scale
    drive = squared * scale
    maps = torch.stack([keep, -cross, cross, 1.0 - drive], 2).view(keep.size(0), keep.size(1), 2, 2)
    gains = torch.stack([cross, drive], 2)
    clean = torch.nan_to_num(x, 0.0, 0.0, 0.0)
    is_finite = clean == x
    if not bool(is_finite.all()):
        maps = maps * is_finite[:, :, None, None].double()
    s1, s2 = _states(maps, gains, clean, start).unbind(2)
    missing = x - s2
    next_s1 = keep * s1 + cross * missing
    next_s2 = s2 + cross * s1 + drive * missing
    band, low, high = mix.unbind(2)
    mixed = 0.5 * (band - high) / q * (s1 + next_s1) + 0.5 * (low - high) * (s2 + next_s2) + high * x
    end = torch.nan_to_num(torch.stack([next_s1[:, -1], next_s2[:, -1]], 1), 0.0, 0.0, 0.0)
    # What has faded away does not become denormal numbers, which are slow.
    return torch.hardshrink(mixed, 1e-37).float(), torch.hardshrink(end, 1e-290)


def _states(maps: Tensor, gains: Tensor, x: Tensor, start: Tensor) -> Tensor:
    """Return the integrators before each frame, ``(channels, n, 2)``.

    Args:
        maps: ``(channels or 1, n or 1, 2, 2)``.
        gains: Of the input to each integrator, ``(channels or 1, n or 1, 2)``.
        x: ``(channels, n)``.
        start: ``(channels, 2)``.
    """
    n_channels, n = x.shape
    n_groups = maps.size(0)  # of channels with the same maps, in the columns of one state
    n_columns = n_channels // n_groups
    n_block = int(math.ceil(math.sqrt(n)))  # noqa: RUF046  # TorchScript's ceil may be a float
    n_blocks = (n + n_block - 1) // n_block
    inputs = gains[:, :, :, None] * x.view(n_groups, n_columns, n).transpose(1, 2)[:, :, None]
    steps, entries = [  # by frames of a block, each for all groups and blocks
        torch.constant_pad_nd(part.expand(n_groups, n, -1, -1), (0, 0, 0, 0, 0, n_blocks * n_block - n))
        .view(n_groups * n_blocks, n_block, 2, -1)
        .unbind(1)
        for part in [maps, torch.constant_pad_nd(inputs, (2, 0))]
    ]
    composed = torch.eye(2, 2 + n_columns, dtype=torch.float64).expand(n_groups * n_blocks, 2, 2 + n_columns)
    up_to: list[Tensor] = []
    for step, entry in zip(steps, entries):  # noqa: B905  # TorchScript
        up_to.append(composed)
        composed = torch.baddbmm(entry, step, composed)
    block_start = start.view(n_groups, n_columns, 2).transpose(1, 2)
    block_starts: list[Tensor] = []
    for block in composed.view(n_groups, n_blocks, 2, 2 + n_columns).unbind(1):
        block_starts.append(block_start)
        block_start = torch.baddbmm(block[:, :, 2:], block[:, :, :2], block_start)
    starts = torch.stack(block_starts, 1).view(n_groups * n_blocks, 2, n_columns)
    paths = torch.stack(up_to, 1).view(n_groups * n_blocks, n_block * 2, 2 + n_columns)
    states = torch.baddbmm(paths[:, :, 2:], paths[:, :, :2], starts).view(n_groups, n_blocks * n_block, 2, n_columns)
    return states[:, :n].permute(0, 3, 1, 2).reshape(n_channels, n, 2)


def _check_control(name: str, control: Tensor, audio: Tensor, n_columns: int) -> None:
    check_tensor("svf", name, control, 3, torch.float32)
    n_channels, n = audio.shape
    fits = (control.size(0) == 1 or control.size(0) == n_channels) and (control.size(1) == 1 or control.size(1) == n)
    if not fits or control.size(2) != n_columns:
        raise RuntimeError(
            f"svf: {name} must have shape (1 or {n_channels}, 1 or {n}, {n_columns}), got {shape_of(control)}"
        )
