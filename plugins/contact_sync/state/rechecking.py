"""What a verification found is looked at again: which findings, and what comes of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import numpy as np
from psycopg.types.json import Jsonb

from contact_sync.base.arrays import Int64
from contact_sync.base.verdicts import BREACHES, Count, Verdict
from contact_sync.postgres.cursor import Cursor, many, one, rows_as
from contact_sync.state import statements
from contact_sync.state.verifications import Verification

SQL = statements.load("rechecking")
STRANGERS = (*BREACHES, Verdict.GHOST, Verdict.FOREIGN_ON_LIST)
"""Verdicts about contacts whose client may have none, or that have no client."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A finding to be looked at; `row_hash` and `left_out` of its client, as B2CORE's side has
    them, None = it isn't in B2CORE. `may_be_race`: one of both sides has changed since."""

    finding_no: int
    verdict: str
    client_id: int | None
    email: str | None = field(repr=False)
    email_hash: int
    updated_at: datetime | None
    may_be_race: bool
    row_hash: int | None
    left_out: int | None

    @property
    def is_stranger(self) -> bool:
        """Whether it is about a contact that has to go, not about what a client lacks."""
        return self.verdict in STRANGERS


class Look(NamedTuple):
    """What SendGrid shows of a candidate that isn't right still."""

    finding_no: int
    verdict: Verdict
    on_list: bool | None
    fields: tuple[str, ...]


def candidates(
    cursor: Cursor, verification: Verification, changed: Int64, at_most: int
) -> list[Candidate]:
    """Findings that weren't looked at yet, those that may be races first; `changed`: clients that
    changed in B2CORE since it was read."""
    parameters = _id(verification) | {"changed": changed.tolist(), "at_most": at_most}
    return rows_as(Candidate, cursor, SQL["candidates"], parameters)


def drop_races(
    cursor: Cursor, verification: Verification, numbers: Collection[int], waiting: Collection[int]
) -> None:
    """These are no differences; those of them that are `waiting` are clients that a run has to
    see."""
    if waiting:
        cursor.execute(SQL["note_waiting"], _id(verification) | {"numbers": list(waiting)})
    cursor.execute(SQL["drop_findings_of"], _id(verification) | {"numbers": list(numbers)})
    add(cursor, verification, {Count.RACES: len(numbers), Count.WAITING: len(waiting)})


def save_looks(cursor: Cursor, verification: Verification, looks: Sequence[Look]) -> None:
    """These aren't right still."""
    numbers, verdicts, on_list, fields = (
        (list(column) for column in zip(*looks, strict=True)) if looks else ([], [], [], [])
    )
    parameters = {
        "numbers": numbers, "verdicts": [str(code) for code in verdicts], "on_list": on_list,
        "fields": ["\n".join(names) for names in fields],
    }  # fmt: skip
    cursor.execute(SQL["save_looks"], _id(verification) | parameters)


def add(cursor: Cursor, verification: Verification, counts: Mapping[Count, int]) -> None:
    """Add to the verification's counts."""
    cursor.execute(SQL["add_counts"], _id(verification) | {"counts": Jsonb(dict(counts))})


def stranger_hashes(cursor: Cursor, verification: Verification) -> Int64:
    """Hashes of the addresses of contacts that should not be where they are."""
    rows = many(cursor, SQL["stranger_hashes"], _id(verification) | {"verdicts": _strangers()})
    return np.array([row["email_hash"] for row in rows], np.int64)


def drop_hashes(cursor: Cursor, verification: Verification, hashes: Int64) -> None:
    """Clients have these addresses by now: their contacts may be where they are."""
    parameters = {"verdicts": _strangers(), "gone": hashes.tolist()}
    cursor.execute(SQL["drop_hashes"], _id(verification) | parameters)
    add(cursor, verification, {Count.RACES: cursor.rowcount})


def drop_moved(cursor: Cursor, verification: Verification) -> None:
    """Drop what a run has dealt with meanwhile, or is about to."""
    parameters = {"verdicts": _strangers()}
    row = one(cursor, SQL["drop_moved"], _id(verification) | parameters)
    clients, contacts = int(row["of_clients"]), int(row["of_contacts"])
    more = {Count.RACES: clients + contacts, Count.WAITING: clients, Count.LEAVING: contacts}
    add(cursor, verification, more)


def give_up_races(
    cursor: Cursor, verification: Verification, changed: Int64, *, is_believed: bool
) -> None:
    """What wasn't looked at and may be a race can't be compared, nor can any client's contact
    unless what the export shows of them `is_believed`."""
    parameters = {
        "verdicts": _strangers(), "changed": changed.tolist(), "is_believed": is_believed,
    }  # fmt: skip
    contacts = int(one(cursor, SQL["give_up_races"], _id(verification) | parameters)["of_contacts"])
    add(cursor, verification, {Count.LEAVING: contacts})


def _id(verification: Verification) -> dict[str, object]:
    return {"verification_id": verification.verification_id}


def _strangers() -> list[str]:
    return [str(code) for code in STRANGERS]
