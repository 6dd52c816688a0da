"""Names and codes of countries in SQL, for tables that have only one of both. Pure.

Source: ISO 3166-1 as pycountry has it, and names that people write instead.
"""

from __future__ import annotations

import json
from functools import cache

from contact_sync.b2core.setup.parts import REF, Value
from contact_sync.b2core.setup.tables import text_literal

OTHERS = {
    "usa": "US", "u.s.a.": "US", "united states of america": "US", "america": "US",
    "uk": "GB", "u.k.": "GB", "great britain": "GB", "england": "GB", "scotland": "GB",
    "wales": "GB", "northern ireland": "GB", "russia": "RU", "south korea": "KR", "korea": "KR",
    "north korea": "KP", "czech republic": "CZ", "turkey": "TR", "vietnam": "VN", "iran": "IR",
    "syria": "SY", "laos": "LA", "taiwan": "TW", "tanzania": "TZ", "venezuela": "VE",
    "bolivia": "BO", "moldova": "MD", "macedonia": "MK", "ivory coast": "CI", "cape verde": "CV",
    "swaziland": "SZ", "burma": "MM", "uae": "AE", "holland": "NL", "the netherlands": "NL",
    "palestine": "PS", "kosovo": "XK", "brunei": "BN", "hong kong sar": "HK", "macau": "MO",
    "vatican": "VA", "vatican city": "VA", "democratic republic of the congo": "CD",
    "congo-kinshasa": "CD", "congo-brazzaville": "CG", "republic of the congo": "CG",
    "bosnia": "BA", "the gambia": "GM", "the bahamas": "BS", "micronesia": "FM",
    "schweiz": "CH", "suisse": "CH", "svizzera": "CH", "deutschland": "DE", "österreich": "AT",
    "españa": "ES", "italia": "IT", "polska": "PL", "brasil": "BR",
}  # fmt: skip
"""Names in lower case that aren't ISO's."""
_WIDTH = 110


def name_of_code(length: int) -> str:
    """SQL of the name that belongs to a code of two or three letters; the code if there is none."""
    given = f"upper(btrim({REF}::text))"
    rows = [((two if length == len("CH") else three), name) for two, three, name in _countries()]
    return f"coalesce({_looked_up(rows, given)}, {REF}::text)"


def code_of_name() -> str:
    """SQL of the two letters that belong to a name, in any case; NULL if there are none."""
    given = f"lower(btrim({REF}::text))"
    rows = {name: two for two, _, name in _countries(every=True)} | OTHERS
    rows |= {code.lower(): two for two, three, _ in _countries() for code in (two, three)}
    return _looked_up(sorted(rows.items()), given)


def _looked_up(rows: list[tuple[str, str]], given: str) -> str:
    """As an object of JSON, which PostgreSQL reads once a statement and searches by halves."""
    lines, line = [], ""
    for key, value in rows:
        pair = f"{json.dumps(key, ensure_ascii=False)}: {json.dumps(value, ensure_ascii=False)}, "
        if len(line) + len(pair) > _WIDTH:
            lines.append(line.rstrip())
            line = ""
        line += pair
    listed = "\n".join(["{", *lines, line.rstrip(", "), "}"])
    return f"({text_literal(listed)}::jsonb ->> {given})"


@cache
def _countries(*, every: bool = False) -> tuple[tuple[str, str, str], ...]:
    """(two letters, three letters, name); `every`: each name that there is, in lower case."""
    import pycountry

    found = []
    for country in pycountry.countries:
        usual = getattr(country, "common_name", country.name)
        names = {usual, country.name, getattr(country, "official_name", usual)}
        kept = sorted(name.lower() for name in names) if every else [usual]
        found += [(country.alpha_2, country.alpha_3, name) for name in kept]
    return tuple(found)


def with_names(found: dict[str, Value], length: int) -> dict[str, Value]:
    """Of a country's name and code also the one that is missing."""
    if "country_code" in found and "country" not in found:
        code = found["country_code"]
        return found | {"country": Value(code.column, code.hops, name_of_code(length))}
    if "country" in found and "country_code" not in found:
        name = found["country"]
        return found | {"country_code": Value(name.column, name.hops, code_of_name())}
    return found
