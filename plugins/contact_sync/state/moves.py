"""What goes along from former contacts to new ones: the rows of the table `move`.

A row begins before anything is sent, and ends when SendGrid shows the new contact with what it
says. Until then the former contact isn't removed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from psycopg.types.json import Jsonb

from contact_sync.base.json_columns import Belongings
from contact_sync.contacts.destination import Destination
from contact_sync.postgres.cursor import Cursor, many, one, rows_as
from contact_sync.state import statements
from contact_sync.state.batches import Batch

SQL = statements.load("moves")
PER_BATCH = 1_000
MAX_BYTES = 1_000_000
"""Of what the contacts of a batch are given: its request stays far below SendGrid's limit."""
MAX_PLANNED = 100
"""Batches of earlier runs' moves in one run; the rest waits for the next one."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A client that gets another address. `former` None, `former_hash` 0: it only gets the address
    of one that moves away. `seconds`: since when it is known, of one that isn't seen yet."""

    client_id: int
    former_hash: int
    former: str | None
    email: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Carried:
    """What a batch gives to one contact, and takes from it."""

    client_id: int
    former_hash: int
    email: str
    tries: int
    belongings: Belongings


def movers(cursor: Cursor, sync_id: int, run_id: int) -> list[Moved]:
    """The staged clients that get another address, and those that get one of theirs."""
    return [Moved(**r) for r in many(cursor, SQL["movers"], {"sync_id": sync_id, "run_id": run_id})]


def given_up(cursor: Cursor, sync_id: int, run_id: int) -> list[Moved]:
    """Clients that represent others now, with the address of the contact that the others had."""
    parameters = {"sync_id": sync_id, "run_id": run_id}
    return [Moved(**row) for row in many(cursor, SQL["given_up"], parameters)]


def unseen(cursor: Cursor, sync_id: int) -> list[Moved]:
    """Clients of earlier runs whose former contact hasn't been seen yet."""
    return [Moved(**row) for row in many(cursor, SQL["unseen"], {"sync_id": sync_id})]


def other_destinations(cursor: Cursor, sync_id: int, hashes: list[int]) -> list[Destination]:
    """Where other syncs send that hold a contact with one of these address hashes."""
    rows = many(cursor, SQL["other_destinations"], {"sync_id": sync_id, "email_hashes": hashes})
    return [Destination.from_json(row["destination"]) for row in rows]


def note(cursor: Cursor, sync_id: int, moved: Moved, given: Belongings | None) -> None:
    """What goes along with a client; None = its former contact hasn't been seen yet."""
    belongings = None if given is None else Jsonb(given.to_json())
    key = {
        "sync_id": sync_id, "client_id": moved.client_id, "former_hash": moved.former_hash,
    }  # fmt: skip
    values = {"former": moved.former, "email": moved.email, "belongings": belongings}
    cursor.execute(SQL["note"], key | values)
    if given is not None:
        cursor.execute(SQL["give_way"], key | {"names": list(given.values)})


def clean_up(cursor: Cursor, sync_id: int, run_id: int) -> None:
    """What hasn't gone along yet goes to the clients' newest addresses; nothing goes along to
    clients that are gone or must not be sent."""
    parameters = {"sync_id": sync_id, "run_id": run_id}
    cursor.execute(SQL["redirect"], parameters)
    cursor.execute(SQL["forget_needless"], parameters)


def forget_all(cursor: Cursor, sync_id: int) -> None:
    """Nothing goes along at all, as the definition says."""
    cursor.execute(SQL["forget_all"], {"sync_id": sync_id})


def forget(cursor: Cursor, sync_id: int, done: Iterable[Moved | Carried]) -> None:
    """SendGrid shows it at the new contacts, or there is nothing to go along."""
    cursor.execute(SQL["forget"], {"sync_id": sync_id} | _pairs(done))


def any_noted(cursor: Cursor, sync_id: int) -> bool:
    """Whether there is anything to do with this table."""
    return bool(one(cursor, SQL["any_noted"], {"sync_id": sync_id})["found"])


@dataclass(frozen=True, slots=True)
class _Ready:
    """What can go along now, to the contact `email`; `size` in bytes as JSON."""

    client_id: int
    former_hash: int
    email: str = field(repr=False)
    tries: int
    lists: list[str]
    size: int


def create_batches(cursor: Cursor, ids: tuple[int, int], after: Batch | None = None) -> list[int]:
    """Batch what can go along now; `ids` = (sync_id, run_id). `after`: a batch that has just been
    confirmed; only its clients, in batches of its family. Contacts of a batch join the same lists;
    what was refused or not seen before goes alone. Returns the batches' ids."""
    parameters = {"sync_id": ids[0], "batch_id": after and after.batch_id}
    groups: dict[tuple[str | int, ...], list[_Ready]] = defaultdict(list)
    for row in rows_as(_Ready, cursor, SQL["ready"], parameters):
        alone = (row.client_id,) if row.tries else ()
        groups[*row.lists, *alone].append(row)
    pieces = [piece for rows in groups.values() for piece in _cut(rows)]
    created = []
    for piece in pieces[: None if after else MAX_PLANNED]:
        values = {"sync_id": ids[0], "run_id": ids[1], "contacts": len(piece),
                  "root_id": after and after.root}  # fmt: skip
        batch_id = int(one(cursor, SQL["create_batch"], values)["batch_id"])
        rows = [Moved(row.client_id, row.former_hash, None, row.email) for row in piece]
        cursor.execute(SQL["take"], {"sync_id": ids[0], "batch_id": batch_id} | _pairs(rows))
        created.append(batch_id)
    return created


def _cut(rows: list[_Ready]) -> Iterator[list[_Ready]]:
    """Pieces of bounded number and size."""
    piece: list[_Ready] = []
    size = 0
    for row in rows:
        if piece and (len(piece) >= PER_BATCH or size + row.size > MAX_BYTES):
            yield piece
            piece, size = [], 0
        piece.append(row)
        size += row.size
    yield piece


def of_batch(cursor: Cursor, batch_id: int) -> list[Carried]:
    """What a batch carries, the oldest first: a client may have moved twice."""
    rows = many(cursor, SQL["of_batch"], {"batch_id": batch_id})
    return [
        Carried(**row | {"belongings": Belongings.from_json(row["belongings"])}) for row in rows
    ]


def not_seen(cursor: Cursor, batch_id: int) -> int:
    """What is left of a batch is tried again by the next run; returns how many rows."""
    cursor.execute(SQL["not_seen"], {"batch_id": batch_id})
    return cursor.rowcount


def waiting_removals(cursor: Cursor, batch_id: int) -> dict[str, bool]:
    """Addresses of a removal's batch that wait; true = their contact hasn't been seen itself."""
    rows = many(cursor, SQL["waiting_removals"], {"batch_id": batch_id})
    return {row["email"]: row["unseen"] for row in rows}


def count_open(cursor: Cursor, sync_id: int) -> int:
    """Clients whose new contact doesn't show what their former one holds."""
    return int(one(cursor, SQL["count_open"], {"sync_id": sync_id})["n"])


def _pairs(rows: Iterable[Moved | Carried]) -> dict[str, list[int]]:
    every = list(rows)
    return {
        "client_ids": [row.client_id for row in every],
        "former_hashes": [row.former_hash for row in every],
    }
