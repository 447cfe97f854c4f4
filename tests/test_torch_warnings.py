"""What torch says of TorchScript's age, which users of the package can do nothing about."""

import warnings

import pytest

from neutone_sdk.scripting import without_deprecation


@pytest.mark.parametrize("kind", [DeprecationWarning, FutureWarning], ids=["torch 2.13", "torch 2.14"])
def test_torchs_farewell_is_kept_from_users_and_nothing_else(kind: type[Warning]) -> None:
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        with without_deprecation():
            warnings.warn("`torch.jit.script` is deprecated. Please switch to `torch.export`.", kind, stacklevel=1)
            warnings.warn("something else", kind, stacklevel=1)
    assert [str(warning.message) for warning in shown] == ["something else"]
