"""A file that needs what is not here, or says of itself what is not so, is refused by what it needs."""

from typing import Any

import pytest

from neutone_sdk.errors import InvalidFileError
from neutone_sdk.needs import missing_needs


@pytest.mark.parametrize(
    ("operators", "metadata", "problem"),
    [
        (
            {"neutone::ring_clear"},
            {"flavour": "portable"},
            "says that it is portable, but its code uses neutone::ring_clear",
        ),
        (set(), {"flavour": "of later"}, "its flavour is 'of later', here native and portable are known; upgrade"),
        ({"neutone::ring_clear"}, {"required_ops": {}}, "uses neutone::ring_clear, which its metadata do not state"),
        ({"neutone::ring_clear"}, {"required_ops": ["neutone"]}, "required_ops .* must be an object of texts"),
        (
            set(),
            {"required_ops": {"neutone": "99.1.0"}},
            r"needs neutone operators of version 99\.1\.0, here .*; upgrade",
        ),
        ({"neutone::lost"}, {}, "uses operators that are not here: neutone::lost; import the package that brings them"),
        ({"evil::op"}, {}, "uses operators that are not here: evil::op"),
        ({"inductor::_alloc_from_pool"}, {}, "uses inductor::_alloc_from_pool, which no model for a host needs"),
        ({"debugprims::load_tensor"}, {}, "which no model for a host needs"),
        ({f"evil::{n}" for n in range(9)}, {}, "evil::0, evil::1, evil::2, evil::3, evil::4 and 4 more"),
        ({"neutone::ring_clear"}, {"flavour": "native", "required_ops": {"neutone": "0.1.0"}}, None),
        ({"neutone::ring_clear", "prim::dtype", "aten::add", "quantized::linear"}, {}, None),
        ({"prim::dtype"}, {"flavour": "portable", "required_ops": {}}, None),
    ],
)
def test_what_a_file_needs_and_says(operators: set[str], metadata: dict[str, Any], problem: str | None) -> None:
    found = missing_needs(operators, metadata)

    assert (found == "") is (problem is None)
    if problem:
        with pytest.raises(InvalidFileError, match=problem):
            raise InvalidFileError(found)
