"""Country codes as people store them, as ISO 3166-1 alpha-2. Pure."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_OTHER_NAMES = {
    "UK": "GB",  # reserved for the United Kingdom in ISO 3166-1
    "EL": "GR",  # the European Union's code of Greece
    "UAE": "AE", "KSA": "SA",  # what the countries call themselves, and no code of others
    "XKX": "XK", "XKK": "XK", "RKS": "XK",  # Kosovo has no code of ISO's
    "ROM": "RO", "ZAR": "CD", "TMP": "TL", "BUR": "MM",  # withdrawn alpha-3 codes
    "ASC": "AC", "TAA": "TA",  # islands with numbers of their own
}  # fmt: skip


@lru_cache(maxsize=1_000)
def region_of(code: str | None) -> str | None:
    """The region whose phone numbers a country code stands for: alpha-2 or alpha-3, any case, with
    or without white space, full stops and invisible characters.

    None = no code. Raises LookupError when it is the code of no country that has phone numbers.
    """
    import phonenumbers  # 60 modules, for which a run without changes has no use

    given = "".join(filter(_is_seen, unicodedata.normalize("NFKC", code or ""))).upper()
    if not given:
        return None
    region = _OTHER_NAMES.get(given, given)
    if len(region) == len("CHE"):
        region = _alpha_2(region)
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise LookupError(f"No country has the code {given[:3]!r}")
    return region


def _is_seen(character: str) -> bool:
    return character != "." and unicodedata.category(character)[0] not in "CZ"


def _alpha_2(alpha_3: str) -> str:
    import pycountry

    found = pycountry.countries.get(alpha_3=alpha_3)
    return str(found.alpha_2) if found else alpha_3
