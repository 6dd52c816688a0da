"""The e-mail rule: when two texts are one address, and which addresses can be sent. Pure.

email-validator sees only the distinct values that a vectorised pattern can't decide.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import email_validator
import pandas as pd
import pyarrow.compute as pc
import regex

from contact_sync.base.vocabulary import ValueProblem
from contact_sync.contacts.converters import Converted
from contact_sync.contacts.text_columns import (
    arrow,
    composed,
    fix,
    mask_of,
    null_if_empty,
    only,
    series,
    unusual_texts,
)

_LOCAL_PART = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_ADDRESS = (
    rf"^{_LOCAL_PART}"
    r"@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,63}$"
)
_ADDRESS_NEEDS_CARE = r"--|\.(?:test|local|localhost|invalid|onion|arpa)$"
_SHORT_ADDRESS = 65  # bytes: too short for a part or a label that is too long
MAX_ADDRESS = 254  # OAS, contact.email
MAX_LOCAL_PART = 64  # RFC 5321, 4.5.3.1.1; email-validator lets 65 pass


def normalised(column: pd.Series[Any]) -> pd.Series[Any]:
    """Addresses as SendGrid keys them: trimmed, NFC, lower case, IDN domains as A-labels.

    Invalid ones stay as they are (trimmed, lower case), so that they can be compared; `sendable`
    judges them.
    """
    array = arrow(column)
    unusual = unusual_texts(array)
    array = pc.utf8_trim_whitespace(only(array, unusual, composed))
    if unusual.any():  # most of them have only been typed with a space before or behind
        unusual &= unusual_texts(array)
        array = fix(only(array, unusual, pc.utf8_lower), unusual, lambda v: _valid_address(v) or v)
    return series(null_if_empty(pc.ascii_lower(array)))


def _valid_address(value: str) -> str | None:
    """The address as SendGrid keys it. A domain is judged once for all its plain local parts."""
    if len(value) > 4 * MAX_ADDRESS:
        return None
    local, _, domain = value.rpartition("@")
    if len(local) <= MAX_LOCAL_PART and regex.fullmatch(_LOCAL_PART, local):
        known, length = _valid_domain(domain)
        if known is None or len(local) + len("@") + length <= MAX_ADDRESS:
            return known and f"{local}@{known}"
    checked = _judged(value)
    address = checked.ascii_email or "" if checked else ""
    local, _, _ = address.rpartition("@")
    return address if 0 < len(local) <= MAX_LOCAL_PART and len(address) <= MAX_ADDRESS else None


@lru_cache(maxsize=10_000)
def _valid_domain(domain: str) -> tuple[str | None, int]:
    """The domain in ASCII, None = invalid, and the bytes of its longest form."""
    checked = _judged(f"a@{domain}")
    if checked is None:
        return None, 0
    forms = (domain, checked.domain, checked.ascii_domain)
    return checked.ascii_domain, max(len(form.encode()) for form in forms)


def _judged(value: str) -> email_validator.ValidatedEmail | None:
    try:
        return email_validator.validate_email(
            value, check_deliverability=False, allow_smtputf8=False
        )
    except email_validator.EmailNotValidError:
        return None


def sendable(column: pd.Series[Any]) -> Converted:
    """Judge normalised addresses; one that can't be sent is null. Reasons: `missing`, `invalid`."""
    array = arrow(column)
    plain = mask_of(pc.match_substring_regex(array, _ADDRESS))
    plain &= ~mask_of(pc.match_substring_regex(array, _ADDRESS_NEEDS_CARE))
    plain &= mask_of(pc.less_equal(pc.binary_length(array), _SHORT_ADDRESS))
    missing = mask_of(pc.is_null(array))
    unsure = ~plain & ~missing
    if unsure.any():
        array = fix(array, unsure, _valid_address)
    invalid = mask_of(pc.is_null(array)) & ~missing
    return Converted(series(array), {ValueProblem.MISSING: missing, ValueProblem.INVALID: invalid})
