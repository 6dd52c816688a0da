"""The address in the client's row, or in a row that it leads to: one place, one kind. Pure.

A row may hold several, as `home_city` and `billing_city`: the parts of two are never mixed.
"""

from __future__ import annotations

from contact_sync.b2core.setup import finding
from contact_sync.b2core.setup.countries import with_names
from contact_sync.b2core.setup.finding import Place, text_value
from contact_sync.b2core.setup.parts import Value
from contact_sync.b2core.setup.shapes import are_emails
from contact_sync.b2core.setup.tables import Catalog

PARTS = ("address_line_1", "address_line_2", "city", "state", "postal_code")
KINDS = (
    "", "residential", "residence", "home", "primary", "main", "permanent", "current", "private",
    "mailing", "postal", "correspondence", "contact", "shipping", "legal", "registered", "billing",
    "invoice", "work", "business", "company",
)  # fmt: skip
"""What the names of an address's columns begin with, in the order of the contract."""


def address_of_row(catalog: Catalog, places: list[Place]) -> dict[str, Value]:
    """The parts of the first address that has two, with its country; else what there is."""
    for place in places:
        for kind in KINDS:
            parts = _parts(catalog, place, kind)
            if len(parts) > 1 and parts.keys() & {"city", "postal_code"}:
                return parts | (_country(catalog, [place], kind) or _country(catalog, places))
    for place in places:
        parts = _parts(catalog, place, "")
        if parts:
            return parts | _country(catalog, places)
    return _country(catalog, places)


def _parts(catalog: Catalog, place: Place, kind: str) -> dict[str, Value]:
    found = {
        name: value
        for name in PARTS
        if (value := text_value(catalog, place, name, kind)) and not are_emails(value.column)
    }
    if "city" not in found:
        found.pop("state", None)  # it's another state
    return found


def _country(catalog: Catalog, places: list[Place], kind: str = "") -> dict[str, Value]:
    for place in places:
        found = with_names(*finding.country_values(catalog, place, kind))
        if found:
            return found
    return {}
