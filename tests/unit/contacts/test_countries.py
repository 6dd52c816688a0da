"""Country codes, compared with Unicode's CLDR (Babel) and the tz database's copy of ISO 3166-1: the
product asks neither."""

from __future__ import annotations

from importlib.resources import files

import phonenumbers
import pytest
from babel.core import get_global

from contact_sync.contacts.countries import region_of

ALIASES = {code: names[0] for code, names in get_global("territory_aliases").items()}
ALPHA_3 = {code: name for code, name in ALIASES.items() if len(code) == 3 and code.isalpha()}
ALPHA_2 = [
    line.split("\t")[0]
    for line in (files("tzdata") / "zoneinfo" / "iso3166.tab").read_text("utf-8").splitlines()
    if not line.startswith("#")
]
WITHOUT_PHONES = {"AQ", "BV", "GS", "HM", "PN", "TF", "UM"}
"""ISO's regions without numbers of their own: they are called by another country's code, or not."""


def found(code: str | None) -> str | None:
    """The region, or "?" for a code that is unknown."""
    try:
        return region_of(code)
    except LookupError:
        return "?"


def test_B15_every_alpha_2_code_is_known() -> None:
    """All 249, but for those without phone numbers; and Kosovo, Ascension and Tristan da Cunha."""
    assert len(ALPHA_2) == 249
    assert {code: found(code) for code in ALPHA_2} == {
        code: "?" if code in WITHOUT_PHONES else code for code in ALPHA_2
    }
    assert [found(code) for code in ("XK", "AC", "TA")] == ["XK", "AC", "TA"]


def test_B15_every_alpha_3_code_is_its_country_or_unknown() -> None:
    """Unknown are withdrawn ones, private ones, and those of regions without phone numbers; each
    region with phone numbers is reached."""
    wrong = {
        code: (found(code), region)
        for code, region in ALPHA_3.items()
        if found(code) not in (region, "?")
    }
    assert wrong == {}
    reached = {found(code) for code in ALPHA_3}
    assert phonenumbers.SUPPORTED_REGIONS - reached == set()


@pytest.mark.parametrize(
    ("code", "region"),
    [
        ("CH", "CH"), ("ch", "CH"), ("Ch", "CH"), (" CH ", "CH"), ("CH\n", "CH"), ("\tch", "CH"),
        ("\u00a0CH", "CH"), ("CH\u200b", "CH"), ("\ufeffCH", "CH"), ("\uff23\uff28", "CH"),
        ("che", "CH"), (" CHE ", "CH"), ("Che", "CH"),
        ("UK", "GB"), ("uk", "GB"), ("GB", "GB"), ("GBR", "GB"), ("U.K.", "GB"), ("u. k.", "GB"),
        ("US", "US"), ("USA", "US"), ("U.S.", "US"), ("U.S.A.", "US"), ("usa", "US"),
        ("EL", "GR"), ("GR", "GR"), ("GRC", "GR"),
        ("UAE", "AE"), ("ARE", "AE"), ("U.A.E.", "AE"), ("KSA", "SA"), ("SAU", "SA"),
        ("XK", "XK"), ("XKX", "XK"), ("RKS", "XK"), ("XKK", "XK"),
        ("ROM", "RO"), ("ROU", "RO"), ("ZAR", "CD"), ("COD", "CD"), ("TMP", "TL"), ("BUR", "MM"),
        # Codes that look like another country's
        ("AUT", "AT"), ("AUS", "AU"), ("CHN", "CN"), ("CHL", "CL"), ("SVK", "SK"), ("SVN", "SI"),
        ("NER", "NE"), ("NGA", "NG"), ("IRL", "IE"), ("IRN", "IR"), ("IRQ", "IQ"), ("PRK", "KP"),
        ("KOR", "KR"), ("MAC", "MO"), ("MAR", "MA"), ("MDG", "MG"), ("MLI", "ML"), ("MLT", "MT"),
        ("BRN", "BN"), ("BHR", "BH"), ("SWE", "SE"), ("CHE", "CH"), ("DZA", "DZ"), ("HRV", "HR"),
        ("PRT", "PT"), ("PRY", "PY"), ("PYF", "PF"), ("GUF", "GF"), ("GNQ", "GQ"), ("SUR", "SR"),
        # No codes
        (None, None), ("", None), ("  ", None), (".", None), ("\u200b", None),
        ("ZZ", "?"), ("ZZZ", "?"), ("XX", "?"), ("EU", "?"), ("AN", "?"), ("SU", "?"), ("YUG", "?"),
        ("C", "?"), ("CHEE", "?"), ("41", "?"), ("+41", "?"), ("756", "?"), ("Switzerland", "?"),
        ("CH-ZH", "?"), ("de_CH", "?"), ("NULL", "?"), ("N/A", "?"), ("--", "?"), ("C\u041d", "?"),
        ("GER", "?"), ("SUI", "?"), ("NED", "?"),  # codes of sports, some of which mean others
    ],
)  # fmt: skip
def test_B15_codes_as_people_store_them(code: str | None, region: str | None) -> None:
    """In any case and spacing, and as short as countries call themselves; else unknown."""
    assert found(code) == region
