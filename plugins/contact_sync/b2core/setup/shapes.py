"""What sampled values look like: addresses of mail, phone numbers, country codes, yes and no. Pure.

A shape is believed when nearly all of the values have it: the samples are the table's first pages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from functools import cache

from contact_sync.b2core.setup.tables import Column

MOST = 0.8  # of the values
SOME = 0.5  # phones are typed by people
FEW = 0.2
_EMAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+\.[^\s@<>.]+")
_PHONE = re.compile(r"(?:tel:)?\+?[0-9(][0-9 ()./\-\u00a0]{4,24}(?:\s*(?:x|ext\.?)\s*[0-9]+)?")
_DAY = re.compile(r"[0-9]{4}[-./][0-9]{2}[-./][0-9]{2}.*|[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
NUMBER_KEYS = ("number", "phone", "phone_number", "phonenumber", "value", "e164", "mobile", "tel",
               "telephone", "msisdn", "full")  # fmt: skip
FIRST_KEYS = ("primary", "is_primary", "isprimary", "main", "is_main", "default", "is_default",
              "preferred")  # fmt: skip
CONFIRMED_KEYS = ("confirmed", "is_confirmed", "verified", "is_verified", "isverified")
YES = ("yes", "y", "true", "t", "1", "on", "granted", "given", "accepted", "agreed", "active",
       "opt_in", "opt-in", "optin", "opted_in", "opted-in", "in", "subscribed", "allowed",
       "consented", "confirmed", "ok")  # fmt: skip
NO = ("no", "n", "false", "f", "0", "off", "denied", "declined", "refused", "rejected", "withdrawn",
      "revoked", "opt_out", "opt-out", "optout", "opted_out", "opted-out", "out", "unsubscribed",
      "inactive", "none", "never", "pending", "unknown", "expired", "cancelled")  # fmt: skip
DELETED = ("deleted", "erased", "anonymized", "anonymised", "removed", "soft_deleted",
           "soft-deleted", "gdpr_deleted", "purged")  # fmt: skip


def are_emails(column: Column, least: float = MOST) -> bool:
    """Whether the values are addresses of mail, at least this share of them."""
    return column.is_text and _share(column.values, _EMAIL.fullmatch) >= least


def are_phones(column: Column) -> bool:
    """Whether the values look like phone numbers, and not like days or addresses of machines."""
    return column.is_text and _share(column.values, is_phone) >= SOME


def are_words(column: Column) -> bool:
    """Whether the values are no phone numbers for certain: nearly all have letters, and none is a
    number. Dashes, and numbers that somebody mistyped, are no words."""
    lettered = [value for value in column.values if re.search(r"[^\W\d_]", value)]
    few = len(lettered) < MOST * len(column.values) or not column.values
    return not few and not any(map(is_phone, column.values))


def is_phone(value: str) -> bool:
    """Whether a text looks like a phone number."""
    text = value.strip()
    return bool(_PHONE.fullmatch(text)) and not _DAY.fullmatch(text)


def country_codes(column: Column) -> int:
    """2 or 3 when the values are ISO 3166-1 codes of that length, else 0."""
    if not column.is_text:
        return 0
    for length, known in ((2, _codes(2) | {"UK", "EL", "XK"}), (3, _codes(3))):
        codes = [value for value in column.values if value.strip().upper() in known]
        if column.values and len(codes) >= MOST * len(column.values):
            return length
    return 0


@cache
def _codes(length: int) -> frozenset[str]:
    import pycountry

    return frozenset(
        country.alpha_2 if length == len("CH") else country.alpha_3
        for country in pycountry.countries
    )


def yes_words(column: Column) -> list[str]:
    """Which of a column's values or labels say yes, in lower case; [] when some can't be told."""
    words = column.words
    known = [word for word in words if word in YES]
    return sorted(known) if words and words <= {*YES, *NO} else []


def matching(column: Column, pattern: re.Pattern[str]) -> list[str]:
    """Distinct values or labels that match, in lower case."""
    return sorted(word for word in column.words if pattern.search(word))


def deleted_words(column: Column) -> list[str]:
    """Which of a column's values or labels say that a row is deleted, in lower case."""
    return sorted(column.words & set(DELETED))


def json_phone_keys(column: Column) -> tuple[str, str, str] | None:
    """How a JSON column of objects names the number, the mark of the preferred one and that of a
    confirmed one ("" = it has none); ("", "", "") = numbers without such keys; None = it holds no
    phone numbers."""
    objects: list[dict[str, object]] = []
    numbers = seen = 0
    for value in column.values:
        found = _loaded(value)
        leaves = list(_texts(found))
        seen += bool(leaves)
        numbers += any(map(is_phone, leaves))
        objects += [each for each in found if isinstance(each, dict)] if isinstance(found, list) \
            else [found] if isinstance(found, dict) else []  # fmt: skip
    if not seen or numbers / seen < SOME:
        return None
    number = _key(objects, NUMBER_KEYS)
    if not number or sum(is_phone(str(each.get(number))) for each in objects) < len(objects) / 2:
        return "", "", ""
    return number, _key(objects, FIRST_KEYS), _key(objects, CONFIRMED_KEYS)


def _key(objects: list[dict[str, object]], names: tuple[str, ...]) -> str:
    keys = {key for each in objects for key in each}
    return next((key for name in names for key in sorted(keys) if key.lower() == name), "")


def _loaded(value: str) -> object:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):  # it may be cut
        return re.findall(r'"([^"]*)"', value)


def _texts(value: object, depth: int = 5) -> Iterable[str]:
    if isinstance(value, str | int) and not isinstance(value, bool):
        yield str(value)
    elif depth and isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part, depth - 1)


def _share(values: list[str], is_one: Callable[[str], object]) -> float:
    return sum(bool(is_one(value)) for value in values) / len(values) if values else 0.0
