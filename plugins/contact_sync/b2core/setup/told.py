"""A proposal for a person: which column becomes what, with masked examples. Pure."""

from __future__ import annotations

from contact_sync.b2core.setup.parts import Child, Proposal, Value
from contact_sync.b2core.setup.tables import Column
from contact_sync.b2core.setup.write_changes import unseen
from contact_sync.b2core.setup.write_sql import CONTRACT, has_xmin
from contact_sync.base.masking import veiled
from contact_sync.base.numbers import count

_EXAMPLES = 3


def told(found: Proposal) -> str:
    """What is proposed; counts are those of the samples."""
    key = found.key
    how = "hashed to a bigint" if key.hashed else "as it is"
    lines = [
        f"Clients:    {found.clients}, {_rows(found.clients.rows)}",
        f"Key:        {key.column.name} ({key.column.type}), {how}",
    ]
    if found.phone_rows:
        lines.append(f"Phones:     {found.phone_rows.relation}, by {found.phone_rows.client.name}")
    if found.address_rows:
        where = found.address_rows
        lines.append(f"Addresses:  {where.relation}, by {where.client.name}")
    detection = "xmin" if has_xmin(found) else "updated_at, since views have no xmin"
    lines += [f"Changes:    by {detection}", "", "Columns of clients.sql"]
    for name in CONTRACT:
        lines += [f"  {name:<20}{each}" for each in _sources(found, name)] or [f"  {name:<20}-"]
    lines += [f"  {name:<20}{_source(value)}" for name, value in found.more.items()]
    lines += ["", *_who_is_sent(found)]
    if not has_xmin(found) and (late := unseen(found)):
        listed = ", ".join(late)
        lines += ["", f"Note: changes in {listed}, without a time, are found by the full run"]
    return "\n".join([*lines, *(f"Note: {doubt}" for doubt in found.doubts)])


def _who_is_sent(found: Proposal) -> list[str]:
    """What the statements will do about consent, and about clients that are no longer any."""
    deleted = "left out" if any(not rule.reason for rule in found.rules) else "sent"
    lines = [f"Deleted:    clients that B2CORE calls deleted are {deleted}; banned ones are sent"]
    if not any(rule.reason for rule in found.rules):
        lines.append(
            "Consent:    no column or table of it was found: nobody is excluded for want of it"
        )
    return [*lines, "            docs/first-connection.md, Who is sent, has a recipe for both"]


def _sources(found: Proposal, name: str) -> list[str]:
    if name == "phone":
        rows = [_of_child(found.phone_rows, name)] if found.phone_rows else []
        return [*rows, *map(_source, found.phones)]
    if found.address_rows and name in found.address_rows.values:
        return [_of_child(found.address_rows, name)]
    return [_source(found.values[name])] if name in found.values else []


def _of_child(child: Child, name: str) -> str:
    return f"{child.relation.name}: {_source(child.values[name])}"


def _source(value: Value) -> str:
    way = "".join(f"{hop.column} -> {hop.relation.name}." for hop in value.hops)
    made = "" if value.form.startswith("{0}") and len(value.form) < 10 else ", converted"
    return f"{way}{value.column.name} ({value.column.type}{made}){_examples(value.column)}"


def _examples(column: Column) -> str:
    if not column.samples:
        return ""
    shown = list(dict.fromkeys(veiled(value) for value in column.values))[:_EXAMPLES]
    listed = f": {', '.join(shown)}" if shown else ""
    return f"  {len(column.values)} of {len(column.samples)} filled{listed}"


def _rows(rows: int) -> str:
    return f"about {count(rows, 'row')}" if rows >= 0 else "of unknown size"
