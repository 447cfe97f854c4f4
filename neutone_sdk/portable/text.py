"""Numbers, types and shapes as the native operators' messages show them. Scriptable."""

import math

import torch
from torch import Tensor


def shown(value: float, n_digits: int = 6) -> str:
    """Return a number as C's ``%.{n_digits}g`` does: 0.1, 48000, 1e-06."""
    if math.isnan(value):
        return "nan"
    sign = "-" if math.copysign(1.0, value) < 0.0 else ""
    size = abs(value)
    if math.isinf(size):
        return sign + "inf"
    return sign + (in_digits(size, n_digits) if size > 0.0 else "0")


def in_digits(size: float, n_digits: int) -> str:
    """Return a number above 0 in so many digits at most."""
    exponent = math.floor(math.log10(size))
    digits = str(int(round(scaled_by_ten(size, n_digits - 1 - exponent))))  # noqa: RUF046  # in TorchScript a float
    if len(digits) > n_digits:  # rounded up to a power of ten
        exponent += 1
    digits = digits.rstrip("0")
    if exponent < -4 or exponent >= n_digits:
        fraction = "." + digits[1:] if len(digits) > 1 else ""
        power = str(abs(exponent))
        padding = "0" if len(power) < 2 else ""
        return digits[:1] + fraction + ("e-" if exponent < 0 else "e+") + padding + power
    if exponent < 0:
        return "0." + zeros(-exponent - 1) + digits
    if len(digits) <= exponent + 1:
        return digits + zeros(exponent + 1 - len(digits))
    return digits[: exponent + 1] + "." + digits[exponent + 1 :]


def scaled_by_ten(value: float, power: int) -> float:
    """Return ``value * 10**power``; in steps that are numbers of float64 themselves."""
    if power < 0:
        return value / math.pow(10.0, -power)
    half = power // 2
    return value * math.pow(10.0, half) * math.pow(10.0, power - half)


def zeros(count: int) -> str:
    """Return so many of the digit 0."""
    return "".join(["0" for _ in range(count)])


def shape_of(tensor: Tensor) -> str:
    """Return a shape: (2, 512)."""
    return "(" + ", ".join([str(size) for size in tensor.shape]) + ")"


def name_of(dtype: torch.dtype) -> str:
    """Return the name of a dtype, which TorchScript takes for a number."""
    dtypes = [
        torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
        torch.uint8, torch.bool, torch.complex64, torch.complex128,
    ]  # fmt: skip
    names = [
        "float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8",
        "uint8", "bool", "complex64", "complex128",
    ]  # fmt: skip
    for i in range(len(names)):
        if dtypes[i] == dtype:
            return names[i]
    return "another type"
