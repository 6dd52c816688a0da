"""What a run may do otherwise because an account's behaviour is known. Pure.

Each of these is the safe choice as long as the profile has no answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from contact_sync.base.arrays import Mask
from contact_sync.base.vocabulary import FieldType
from contact_sync.config.account_profile import AccountProfile
from contact_sync.contacts.json_bodies import MAX_JSON_BYTES
from contact_sync.contacts.mapping import Mapping

if TYPE_CHECKING:
    import pandas as pd

MIN_JSON_BYTES = 100_000
"""A limit below that is no limit of SendGrid's: a body holds some hundred contacts at least."""
DOCUMENTED_JSON_BYTES = 6_000_000
"""No probe tries more: a profile that says more wasn't written by one."""


_KINDS = {FieldType.TEXT: "custom_text", FieldType.NUMBER: "number", FieldType.DATE: "date"}
"""How questions call the types of custom fields."""


@dataclass(frozen=True, slots=True)
class ByCsv:
    """What CSV files can say for certain. `clears`: the mask of fields that an empty cell empties;
    `negatives`: a negative number is taken."""

    clears: int = 0
    negatives: bool = False

    def json_only(self, contacts: pd.DataFrame) -> Mask:
        """Which contacts to send can't go into a file: by what is cleared in them and whether they
        have a negative number (columns `clears` and `negative`)."""
        clears, negative = contacts["clears"].to_numpy(np.int64), contacts["negative"]
        unsure = np.zeros(len(contacts), bool) if self.negatives else negative.to_numpy(bool)
        found: Mask = ((clears & ~self.clears) != 0) | unsure
        return found


def by_csv(profile: AccountProfile, mapping: Mapping) -> ByCsv:
    """What of it is known of an account. Only texts are ever cleared."""
    codes = {True: "csv_empty_custom_text", False: "csv_empty_text"}
    fields = [
        field
        for field in mapping.fields
        if field.type is FieldType.TEXT and profile[codes[field.custom]] == "clear"
    ]
    clears = sum(1 << field.bit for field in fields)
    return ByCsv(clears, negatives=profile["csv_negative_number"] == "stored")


def takes_empty_cells(profile: AccountProfile, mapping: Mapping) -> bool:
    """Whether contacts may go into a file that lack a value: False for an account that is known to
    lose such a row, or to report it."""
    kinds = {_KINDS[field.type] if field.custom else "text" for field in mapping.fields}
    return not any(profile[f"csv_empty_{kind}"] in ("row", "value") for kind in kinds)


def max_json_bytes(profile: AccountProfile) -> int:
    """How large a body of `PUT /v3/marketing/contacts` may be."""
    known = profile.number("json_limit")
    if known is None:
        return MAX_JSON_BYTES
    return min(max(known, MIN_JSON_BYTES), DOCUMENTED_JSON_BYTES)
