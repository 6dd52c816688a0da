"""E-mail addresses as SendGrid keys them, and which of them can be sent. Pure.

No two different mailboxes may become one address: letters are put into lower case only where that
is ASCII, and a character that another alphabet writes alike makes an address invalid instead of
turning it into somebody else's. What nobody can see (category Cf, variation selectors) is left out.
Slow libraries see only the distinct values that a vectorised pattern can't decide.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import email_validator
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import regex

from contact_sync.base.arrays import Mask
from contact_sync.base.vocabulary import ValueProblem
from contact_sync.contacts.arrow_columns import mask_of, null_if_empty
from contact_sync.contacts.converters import Converted
from contact_sync.contacts.text_columns import (
    MAX_RAW,
    arrow,
    fix,
    only,
    series,
    unusual_texts,
    visible,
)

_LOCAL_PART = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_ADDRESS = (
    rf"^{_LOCAL_PART}"
    r"@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,63}$"
)
_WHOLE_LOCAL_PART = regex.compile(_LOCAL_PART)
_ADDRESS_NEEDS_CARE = r"--|\.(?:test|local|localhost|invalid|onion|arpa)$"
_SHORT_ADDRESS = 65  # bytes: too short for a part or a label that is too long
_A_LABEL = "xn--"
MAX_NAMED = 3
MAX_ADDRESS = 254  # OAS, contact.email
MAX_LOCAL_PART = 64  # RFC 5321, 4.5.3.1.1; email-validator lets 65 pass
_WRAPPED = r"^(?:mailto:|[^<>@]*<[^<>]*>$)"
_NAMED = regex.compile(r"[^<>@]*<([^<>]*)>")
_MAILTO = regex.compile(r"mailto:(?://)?([^?]*)(?:\?.*)?", regex.IGNORECASE)
_SEVERAL = regex.compile(r"@[^@]*[;, |/][^@]*@")
_DOTS = regex.compile(r"[.\u3002\uff0e\uff61]")
_TOP_LEVEL = regex.compile(r"\.(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})$")
_LATIN = regex.compile(r"\p{Script=Latin}")
_BESIDE_LATIN = (
    "Latin",
    "Common",
    "Inherited",
    "Han",
    "Hiragana",
    "Katakana",
    "Bopomofo",
    "Hangul",
)
_NOT_BESIDE_LATIN = regex.compile(
    "[^" + "".join(rf"\p{{Script={name}}}" for name in _BESIDE_LATIN) + "]"
)
"""Whatever no name of a domain mixes with Latin (Unicode TS 39, Highly Restrictive)."""
_ALIKE = [regex.compile(rf"\p{{Script={name}}}") for name in ("Cyrillic", "Greek", "Armenian")]
"""Scripts with letters like those of each other."""


def normalised(column: pd.Series[Any]) -> pd.Series[Any]:
    """Addresses as SendGrid keys them: trimmed, lower case, IDN domains as A-labels, without what
    is invisible, `mailto:` and a name around it.

    Invalid ones stay as they are (trimmed, ASCII in lower case), so that they can be compared;
    `sendable` judges them.
    """
    array = arrow(column)
    unusual = unusual_texts(array)
    array = pc.utf8_trim_whitespace(array)
    if unusual.any():  # most of them have only been typed with a space before or behind
        unusual &= unusual_texts(array)
        array = only(array, unusual, lambda texts: pc.utf8_trim_whitespace(visible(texts)))
    array = pc.ascii_lower(array)
    wrapped = mask_of(pc.match_substring_regex(array, _WRAPPED))
    array = fix(array, wrapped, _unwrapped)
    unusual &= unusual_texts(array)
    if unusual.any():
        array = pc.ascii_lower(
            fix(array, unusual, lambda value: _valid_address(value) or _key(value))
        )
    return series(null_if_empty(array))


def _key(value: str) -> str:
    """How an address that can't be sent is compared with others: in any case, however it is
    composed, and never as one that could be sent."""
    lowered = unicodedata.normalize("NFC", value).lower()
    return value if lowered.isascii() else lowered


def _unwrapped(value: str) -> str:
    """The address in `mailto:ann%2Bx@example.com` or `Ann <ann@example.com>`."""
    if found := _NAMED.fullmatch(value):
        value = found.group(1).strip()
    if found := _MAILTO.fullmatch(value):  # RFC 6068: characters may be percent-encoded
        value = regex.sub("[A-Z]", lambda letter: letter[0].lower(), unquote(found.group(1)))
    return value.strip()


def sendable(column: pd.Series[Any]) -> Converted:
    """Judge normalised addresses; one that can't be sent is null.

    Reasons: `missing`, `two_addresses`, `look_alike_domain` (Latin and another alphabet in one
    label), `not_ascii` (letters before the @ that SendGrid doesn't accept), `invalid`.
    """
    array = arrow(column)
    plain = mask_of(pc.match_substring_regex(array, _ADDRESS))
    plain &= ~mask_of(pc.match_substring_regex(array, _ADDRESS_NEEDS_CARE))
    plain &= mask_of(pc.less_equal(pc.binary_length(array), _SHORT_ADDRESS))
    missing = mask_of(pc.is_null(array))
    unsure = ~plain & ~missing
    problems = {ValueProblem.MISSING: missing}
    if unsure.any():
        judged = fix(array, unsure, _valid_address)
        wrong = unsure & mask_of(pc.is_null(judged))
        why = fix(array, wrong, _reason)
        for reason in _WRONG:
            problems[reason] = wrong & mask_of(pc.equal(why, str(reason)))
        array = judged
    return Converted(series(array), problems)


_WRONG = (
    ValueProblem.TWO_ADDRESSES, ValueProblem.LOOK_ALIKE_DOMAIN, ValueProblem.NOT_ASCII,
    ValueProblem.INVALID,
)  # fmt: skip


def _reason(value: str) -> ValueProblem:
    """Why an address is none, for the person who has to correct it."""
    local, _, domain = value.rpartition("@")
    if _SEVERAL.search(value):
        return ValueProblem.TWO_ADDRESSES
    if _is_look_alike(domain):
        return ValueProblem.LOOK_ALIKE_DOMAIN
    return ValueProblem.INVALID if local.isascii() else ValueProblem.NOT_ASCII


def odd_characters(column: pd.Series[Any], rows: Mask) -> pd.Series[Any]:
    """For the masked rows, the characters of the address that no plain one has, by their code
    points ("U+043E, U+FF20"), at most MAX_NAMED; null = there are none, or the row isn't masked."""
    if not rows.any():
        return series(pa.nulls(len(rows), pa.string()))
    array = visible(pc.if_else(pa.array(rows), arrow(column), None))
    array = pc.if_else(pc.string_is_ascii(array), None, array)
    return series(fix(array, mask_of(pc.is_valid(array)), _odd_characters))


def _odd_characters(value: str) -> str | None:
    odd = dict.fromkeys(char for char in value[:MAX_RAW] if not char.isascii())
    return ", ".join(f"U+{ord(char):04X}" for char in list(odd)[:MAX_NAMED]) or None


def _valid_address(value: str) -> str | None:
    """The address as SendGrid keys it. A domain is judged once for all its plain local parts."""
    if len(value) > 4 * MAX_ADDRESS or value.count("@") != 1 or " " in value:
        return None
    local, _, domain = value.rpartition("@")
    if not local.isascii() or _is_look_alike(domain):
        return None
    if len(local) <= MAX_LOCAL_PART and _WHOLE_LOCAL_PART.fullmatch(local):
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
    if checked is None or not _TOP_LEVEL.search(checked.ascii_domain):
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


def _is_look_alike(domain: str) -> bool:
    """Whether a label has letters of Latin and of another alphabet, also if it says so in ASCII
    (`xn--`)."""
    return any(map(_mixes_alphabets, _DOTS.split(domain)))


def _mixes_alphabets(label: str) -> bool:
    if label.isascii():
        if not label.lower().startswith(_A_LABEL):
            return False
        try:
            label = label[len(_A_LABEL) :].encode().decode("punycode")
        except UnicodeError:
            return False  # no name of a domain: whoever judges the address says so
    if _LATIN.search(label) and _NOT_BESIDE_LATIN.search(label):
        return True
    return sum(1 for script in _ALIKE if script.search(label)) > 1
