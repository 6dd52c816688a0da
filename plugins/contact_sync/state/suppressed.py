"""What SendGrid says who gets no mail from it: read piece by piece, kept by address.

A reading asks for what is new, or for everything. Pages may shift while everything is read, so only
what two such readings in a row don't show counts as lifted.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from contact_sync.base.arrays import Int64
from contact_sync.base.suppressed import Suppressed, SuppressionNews
from contact_sync.base.vocabulary import SuppressionKind
from contact_sync.contacts.hash_keys import Hashing
from contact_sync.postgres.cursor import Cursor, many, one
from contact_sync.state import statements

SQL = statements.load("suppressed")


@dataclass(frozen=True, slots=True)
class Place:
    """From where a kind is read. `began`: when, by the database's clock; `since`: epoch second;
    `is_whole`: everything is read, whatever `since` says."""

    began: datetime
    since: int | None
    is_whole: bool


def place_of(
    cursor: Cursor, sync_id: int, kind: SuppressionKind, *, overlap_minutes: int, whole_hours: int
) -> Place:
    """From where the next reading of a kind goes on."""
    parameters = {"sync_id": sync_id, "kind": kind, "overlap_minutes": overlap_minutes,
                  "whole_every_hours": whole_hours}  # fmt: skip
    return Place(**one(cursor, SQL["place"], parameters))


def note(
    cursor: Cursor,
    sync_id: int,
    kind: SuppressionKind,
    found: Sequence[Suppressed],
    place: Place,
    hashing: Hashing,
) -> None:
    """Keep a page of what was read. An address that PostgreSQL can't store is none."""
    found = [each for each in found if "\0" not in each.email]
    parameters = {
        "sync_id": sync_id, "kind": kind, "is_whole": place.is_whole,
        "emails": [each.email for each in found], "group_ids": [each.group for each in found],
        "email_hashes": address_hashes([each.email for each in found], hashing),
        "since": [each.since for each in found],
    }  # fmt: skip
    cursor.execute(SQL["note"], parameters)


def end_reading(cursor: Cursor, sync_id: int, kind: SuppressionKind, place: Place) -> None:
    """All pages were read. What a reading of everything didn't show is missed, and the next reading
    is one of everything, too; or, if it was missed before, it is lifted."""
    parameters = {"sync_id": sync_id, "kind": kind, "began": place.began,
                  "is_whole": place.is_whole}  # fmt: skip
    missed = one(cursor, SQL["note_missed"], parameters)["n"] if place.is_whole else 0
    cursor.execute(SQL["end_reading"], parameters | {"again": bool(missed)})


def news_of(cursor: Cursor, run_id: int) -> SuppressionNews:
    """What has come, and what was lifted, since the run began."""
    rows = many(cursor, SQL["news"], {"run_id": run_id})
    come = {row["kind"]: row["come"] for row in rows if row["come"]}
    return SuppressionNews(come, {row["kind"]: row["lifted"] for row in rows if row["lifted"]})


def hashes_in_force(
    cursor: Cursor, sync_id: int, kinds: Collection[SuppressionKind]
) -> dict[SuppressionKind, Int64]:
    """Hashes of the addresses that are suppressed, by kind; 8 bytes an address."""
    found = {}
    for kind in kinds:
        row = one(cursor, SQL["hashes_in_force"], {"sync_id": sync_id, "kind": kind})
        found[kind] = np.array(row["addresses"], np.int64)
    return found


def count_others(
    cursor: Cursor, sync_id: int, kinds: Collection[SuppressionKind], but: Int64
) -> dict[str, int]:
    """How many clients have a suppressed address, by kind: those that the ledger knows as present
    and not excluded, but for these ids."""
    parameters = {"sync_id": sync_id, "kinds": list(kinds), "but": but.tolist()}
    return {row["kind"]: int(row["n"]) for row in many(cursor, SQL["count_others"], parameters)}


def address_hashes(addresses: Sequence[str], hashing: Hashing) -> list[int]:
    """The hash of each address as the ledger has it."""
    if not addresses:
        return []
    import pandas as pd

    from contact_sync.contacts import emails, text_columns

    column = emails.normalised(pd.Series(list(addresses), dtype=text_columns.TEXT))
    return [int(each) for each in hashing.texts(text_columns.arrow(column))]
