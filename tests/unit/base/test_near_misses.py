"""Names that somebody may have meant."""

from __future__ import annotations

import pytest

from contact_sync.base.near_misses import nearest

NAMES = ["B2CORE clients", "Newsletter", "Client_type", "Status", "VIP", "Ünlü müşteriler"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("b2core clients", "B2CORE clients"),
        ("B2CORE  clients ", "B2CORE clients"),
        ("B2CORE\u00a0clients", "B2CORE clients"),
        ("B2CORE-Clients", "B2CORE clients"),
        ("b2coreclients", "B2CORE clients"),
        ("\uff22\uff12\uff23\uff2f\uff32\uff25 clients", "B2CORE clients"),
        ("B2CORE client", "B2CORE clients"),
        ("B2CROE clients", "B2CORE clients"),
        ("client type", "Client_type"),
        ("ClientType", "Client_type"),
        ("Newsleter", "Newsletter"),
        ("ünlü müşteriler", "Ünlü müşteriler"),
        ("vip", "VIP"),
        ("Something else", None),
        ("V", None),
        ("", None),
        ("---", None),
        ("x" * 100_000, None),
    ],
)
def test_what_differs_in_case_space_or_a_letter_is_named(wanted: str, found: str | None) -> None:
    """Nothing that is only somewhat alike."""
    assert nearest(wanted, NAMES) == found


def test_what_differs_least_comes_first() -> None:
    """Case and white space before another letter."""
    assert nearest("VIP clients", ["VIP client", "vip  Clients"]) == "vip  Clients"
