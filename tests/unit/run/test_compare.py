"""What a contact's fields hold once it is sent."""

from __future__ import annotations

import numpy as np
import pytest

from contact_sync.run.compare import field_masks

TEXTS, OTHERS = 0b001, 0b010


@pytest.mark.parametrize(
    ("field", "before", "now", "holds", "cleared", "stale"),
    [
        (0b001, False, False, False, False, False),
        (0b001, False, True, True, False, False),
        (0b001, True, False, False, True, False),
        (0b001, True, True, True, False, False),
        (0b010, False, False, False, False, False),
        (0b010, False, True, True, False, False),
        (0b010, True, False, True, False, True),
        (0b010, True, True, True, False, False),
        (0b100, False, False, False, False, False),
        (0b100, True, False, True, False, False),
    ],
)  # fmt: skip
def test_B08_what_becomes_of_a_field(
    field: int, *, before: bool, now: bool, holds: bool, cleared: bool, stale: bool
) -> None:
    """A text is cleared, a number or date is stale, a field that isn't mapped any more stays."""
    masks = [np.array([field * has], np.int64) for has in (before, now)]
    found = field_masks(masks[0], masks[1], TEXTS, OTHERS)
    assert [mask.tolist() for mask in found] == [
        [field * is_so] for is_so in (holds, cleared, stale)
    ]
