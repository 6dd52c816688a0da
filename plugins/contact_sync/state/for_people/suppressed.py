"""Read who gets no mail from SendGrid, and why, for people and other programs: with addresses."""

from __future__ import annotations

from collections.abc import Collection, Generator
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from contact_sync.base.vocabulary import SuppressionKind
from contact_sync.postgres.cursor import Cursor, many, one, rows_as
from contact_sync.state import statements
from contact_sync.state.database import StateDatabase
from contact_sync.state.for_people.reading import reading

SQL = statements.load("for_people/suppressed")
CHUNK = 5_000
"""So many are held in memory at once."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which suppressions of a sync: of one kind, or of any (None); those that come after an
    address, kind and group; `with_lifted`: also those that were lifted at SendGrid."""

    sync_id: int
    kind: str | None = None
    with_lifted: bool = False
    after: str | None = None
    after_kind: str = ""
    after_group: int = 0


@dataclass(frozen=True, slots=True)
class SuppressedAddress:
    """An address, what keeps mail from it, of which group (0 = of none), since when as SendGrid
    says (None = it doesn't), when a run read it first, and when it was seen to be lifted (None = it
    is in force)."""

    email: str
    kind: str
    group_id: int
    since: datetime | None
    first_seen: datetime
    gone_at: datetime | None


@dataclass(frozen=True, slots=True)
class KindCount:
    """How many suppressions of a kind are in force."""

    kind: str
    n: int


def count_kinds(cursor: Cursor, sync_id: int) -> list[KindCount]:
    """Those in force, by kind, the most frequent first."""
    return rows_as(KindCount, cursor, SQL["count_suppressed"], {"sync_id": sync_id})


def last_read(cursor: Cursor, sync_id: int) -> datetime | None:
    """Up to when all kinds have been read; None = they haven't been yet."""
    parameters = {"sync_id": sync_id, "kinds": len(SuppressionKind)}
    found: datetime | None = one(cursor, SQL["last_read"], parameters)["read_to"]
    return found


def since_when(
    cursor: Cursor, sync_id: int, email_hash: int, kinds: Collection[SuppressionKind]
) -> dict[SuppressionKind, datetime]:
    """Which of these kinds of suppressions an address has, and since when; in the kinds' order."""
    parameters = {"sync_id": sync_id, "email_hash": email_hash, "kinds": list(kinds)}
    rows = many(cursor, SQL["suppressions_of_address"], parameters) if email_hash and kinds else []
    found = {row["kind"]: row["since"] for row in rows}
    return {kind: found[kind] for kind in SuppressionKind if kind in found}


def page_of_addresses(cursor: Cursor, which: Filter, limit: int) -> list[SuppressedAddress]:
    """At most `limit` of them by address, kind and group."""
    parameters = asdict(which) | {"at_most": limit}
    return rows_as(SuppressedAddress, cursor, SQL["suppressed"], parameters)


def newest(cursor: Cursor, sync_id: int, kind: str | None, limit: int) -> list[SuppressedAddress]:
    """At most `limit` of those in force, the ones that were read last first."""
    parameters = {"sync_id": sync_id, "kind": kind, "at_most": limit}
    return rows_as(SuppressedAddress, cursor, SQL["newest"], parameters)


def all_addresses(
    state: StateDatabase, which: Filter
) -> Generator[list[SuppressedAddress], None, None]:
    """All of them by address, CHUNK at a time, each in a transaction of its own."""
    while True:
        with reading(state) as cursor:
            found = page_of_addresses(cursor, which, CHUNK)
        if found:
            yield found
        if len(found) < CHUNK:
            return
        which = following(which, found[-1])


def following(which: Filter, last: SuppressedAddress) -> Filter:
    """The same, from behind one of them."""
    return replace(which, after=last.email, after_kind=last.kind, after_group=last.group_id)


def cells(of: SuppressedAddress) -> list[str | int | None]:
    """One of them as a row of a CSV file, in the order of its fields; no group is empty."""
    moments = [each.isoformat() if each else None for each in (of.since, of.first_seen, of.gone_at)]
    return [of.email, of.kind, of.group_id or None, *moments]
