"""Erasures: what was asked for, what is left to do in which sync, and the record of each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from psycopg.types.json import Jsonb

from contact_sync.base.erasure_steps import ErasureStep
from contact_sync.contacts.hash_keys import HashKey, HashKeys
from contact_sync.postgres.cursor import Cursor, many, one, rows_as
from contact_sync.state import statements
from contact_sync.state.purging import Person

SQL = statements.load("erasures")
MOST = 1_000
"""Erasures that are listed at once."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is left to do of an erasure in one sync. `run_mark`, `verification_mark`: the newest run
    and verification that may not know of it; `seconds_since_sent`: None = the person wasn't sent.
    """

    erasure_id: str
    sync_id: int
    run_mark: int
    verification_mark: int
    is_purged: bool
    delete_job: str | None
    events_job: str | None
    seconds_since_sent: float | None

    @property
    def ids(self) -> dict[str, object]:
        """Its key."""
        return {"erasure_id": self.erasure_id, "sync_id": self.sync_id}


@dataclass(frozen=True, slots=True)
class Address:
    """An address that has to be looked for; `deleted`: it was found, and its deletion was asked."""

    email: str = field(repr=False)
    email_hash: int
    deleted: bool


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure as people see it; `open_in`: the syncs in which something is left to do."""

    erasure_id: str
    sync_name: str
    requested_at: datetime
    finished_at: datetime | None
    lifted_at: datetime | None
    cause: str | None
    tombstones: int
    open_in: list[str] | None

    @property
    def state(self) -> str:
        """In a word."""
        if self.lifted_at:
            return "lifted"
        return "finished" if self.finished_at else "open"


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the record. `numbers`: how many of what; `job_id`: SendGrid's; `by_whom` and
    `reason`: of a person's act."""

    what: ErasureStep
    sync_name: str | None = None
    by_whom: str | None = None
    reason: str | None = None
    numbers: Mapping[str, int] = field(default_factory=dict)
    job_id: str | None = None


@dataclass(frozen=True, slots=True)
class SealedStep(Step):
    """One that is recorded; `seal`: HMAC of it and of the seal before, with the key `key_id`."""

    step_no: int = 0
    at: datetime = datetime(1, 1, 1, tzinfo=UTC)
    key_id: str = ""
    seal: bytes = field(default=b"", repr=False)


def create(cursor: Cursor, erasure_id: str, sync_name: str) -> None:
    """Begin an erasure."""
    cursor.execute(SQL["insert_erasure"], {"erasure_id": erasure_id, "sync_name": sync_name})


def create_part(
    cursor: Cursor, ids: tuple[str, int], client_ids: Iterable[int], addresses: Mapping[str, int]
) -> None:
    """What is to be done in a sync (`ids`: of the erasure and the sync): these clients, these
    addresses with their hashes. Repeated, it adds what is new."""
    key = dict(zip(("erasure_id", "sync_id"), ids, strict=True))
    cursor.execute(SQL["create_part"], key | {"client_ids": list(client_ids)})
    for client_id in client_ids:
        cursor.execute(SQL["note_client"], key | {"client_id": client_id})
    for email, email_hash in addresses.items():
        cursor.execute(SQL["note_address"], key | {"email": email, "email_hash": email_hash})


def open_parts(cursor: Cursor, sync_id: int, erasure_id: str | None = None) -> list[Part]:
    """What is left to do in a sync, the oldest first."""
    return rows_as(Part, cursor, SQL["open_parts"], {"sync_id": sync_id, "erasure_id": erasure_id})


def open_of(cursor: Cursor, sync_id: int, hashes: list[int], client_ids: list[int]) -> str | None:
    """The unfinished erasure of exactly these addresses and clients, or more; None = there is
    none."""
    parameters = {"sync_id": sync_id, "email_hashes": hashes, "client_ids": client_ids}
    rows = many(cursor, SQL["open_of"], parameters)
    return str(rows[0]["erasure_id"]) if rows else None


def addresses_of(cursor: Cursor, part: Part) -> list[Address]:
    """The addresses that are to be looked for."""
    return rows_as(Address, cursor, SQL["part_addresses"], part.ids)


def clients_of(cursor: Cursor, part: Part) -> list[int]:
    """The person's ids in the sync."""
    return [row["client_id"] for row in many(cursor, SQL["part_clients"], part.ids)]


def persons_of(cursor: Cursor, erasure_id: str) -> list[Person]:
    """The person's ids in every sync in which something is left to do; no addresses."""
    rows = many(cursor, SQL["clients_everywhere"], {"erasure_id": erasure_id})
    return [Person(row["sync_id"], tuple(row["client_ids"])) for row in rows]


def is_in_use(cursor: Cursor, part: Part, own_run: int) -> bool:
    """Whether a run, a batch or a verification that began before may still need, or write, what is
    to be purged; `own_run`: the run that asks, 0 = none."""
    marks = {"run_mark": part.run_mark, "verification_mark": part.verification_mark}
    return bool(one(cursor, SQL["is_in_use"], {**part.ids, **marks, "own_run": own_run})["found"])


def note_purged(cursor: Cursor, part: Part) -> None:
    """The state database has nothing of the person any more in this sync."""
    cursor.execute(SQL["note_purged"], part.ids)


def note_deletion(cursor: Cursor, part: Part, emails: list[str], job_id: str) -> None:
    """SendGrid took the deletion of these contacts."""
    cursor.execute(SQL["note_deleted"], {**part.ids, "emails": emails})
    cursor.execute(SQL["note_jobs"], {**part.ids, "delete_job": job_id, "events_job": None})


def note_events_job(cursor: Cursor, part: Part, job_id: str) -> None:
    """SendGrid took the erasure of event data."""
    cursor.execute(SQL["note_jobs"], {**part.ids, "delete_job": None, "events_job": job_id})


def end_part(cursor: Cursor, part: Part) -> bool:
    """Nothing is left to do in this sync; returns whether that is so of the whole erasure."""
    is_over = bool(one(cursor, SQL["end_part"], part.ids)["was_last"])
    if is_over:
        cursor.execute(SQL["finish"], part.ids)
    return is_over


def note_cause(cursor: Cursor, erasure_id: str, cause: str | None) -> None:
    """Why it doesn't go on, for people; None = it does."""
    cursor.execute(SQL["note_cause"], {"erasure_id": erasure_id, "cause": cause})


def lift(cursor: Cursor, erasure_id: str) -> bool:
    """Take its tombstones out of force; returns whether they were in force. Runs see by `lifted_at`
    that B2CORE has to be read as a whole: one may be at work now."""
    cursor.execute(SQL["lift"], {"erasure_id": erasure_id})
    return cursor.rowcount > 0


def record(cursor: Cursor, erasure_id: str, step: Step, key: HashKey) -> None:
    """Add a line to the record, sealed together with the line before."""
    one(cursor, SQL["lock"], {"erasure_id": erasure_id})
    cursor.execute(SQL["last_seal"], {"erasure_id": erasure_id})
    before = cursor.fetchone() or {"step_no": 0, "seal": b""}
    at = one(cursor, SQL["now"])["at"]
    sealed = SealedStep(
        **asdict(step), step_no=before["step_no"] + 1, at=at, key_id=key.key_id
    )  # fmt: skip
    seal = seal_of(erasure_id, sealed, bytes(before["seal"]), key)
    row = asdict(sealed) | {"numbers": Jsonb(dict(step.numbers)), "seal": seal}
    cursor.execute(SQL["add_step"], row | {"erasure_id": erasure_id})


def seal_of(erasure_id: str, step: SealedStep, before: bytes, key: HashKey) -> bytes:
    """The seal of a line that follows a line with the seal `before`."""
    told = asdict(step) | {"numbers": dict(step.numbers), "at": step.at.isoformat()}
    told |= {"erasure_id": erasure_id, "seal": before.hex()}
    return key.mac("step", json.dumps(told, sort_keys=True))


def steps_of(cursor: Cursor, erasure_id: str) -> list[SealedStep]:
    """The record, in order."""
    rows = many(cursor, SQL["steps"], {"erasure_id": erasure_id})
    return [SealedStep(**{**row, "what": ErasureStep(row["what"])}) for row in rows]


def first_broken(erasure_id: str, steps: Iterable[SealedStep], keys: HashKeys) -> int | None:
    """The number of the first line that isn't as it was recorded, or before which one is missing;
    None = all are. Raises ConfigError when a key is missing."""
    before, expected = b"", 1
    for step in steps:
        seal = seal_of(erasure_id, step, before, keys.by_id(step.key_id))
        if step.step_no != expected or seal != bytes(step.seal):
            return expected
        before, expected = seal, expected + 1
    return None if expected > 1 else 1


def erasures(cursor: Cursor, *, beginning: str = "", sync_name: str | None = None) -> list[Erasure]:
    """The newest erasures, at most MOST; `beginning`: of their ids; `sync_name`: only those that
    were asked for in this sync, or concern clients of it."""
    parameters = {"beginning": beginning, "sync_name": sync_name, "at_most": MOST}
    return rows_as(Erasure, cursor, SQL["erasures"], parameters)


def every_id(cursor: Cursor) -> list[str]:
    """The ids of all erasures, the oldest first."""
    return [row["erasure_id"] for row in many(cursor, SQL["every_id"])]


def count_known(cursor: Cursor, sync_name: str) -> int:
    """How many this database knows, of all syncs, or knows to be lost by a person's word."""
    return int(one(cursor, SQL["count_known"], {"sync_name": sync_name})["n"])


def count_open(cursor: Cursor, sync_id: int, hours: float) -> tuple[int, int]:
    """How many aren't finished in a sync, and how many are older than so many hours: of the latter
    also those that were asked for in it and wait for another one."""
    row = one(cursor, SQL["count_open"], {"sync_id": sync_id, "seconds": hours * 3600})
    return int(row["n"]), int(row["late"])


def accept_loss(cursor: Cursor, sync_name: str, lost: int) -> None:
    """Runs go on although so many erasures aren't known any more."""
    cursor.execute(SQL["accept_loss"], {"sync_name": sync_name, "lost": lost})


def take_back_loss(cursor: Cursor, found: int) -> None:
    """So many that counted as lost are there again."""
    cursor.execute(SQL["take_back_loss"], {"found": found})


def put_back(cursor: Cursor, row: Mapping[str, Any]) -> bool:
    """Add an erasure of a file; returns whether it wasn't known."""
    cursor.execute(SQL["put_back"], row)
    return cursor.rowcount > 0


def add_sealed(cursor: Cursor, erasure_id: str, step: SealedStep) -> None:
    """Add a line of a file as it is."""
    row = asdict(step) | {"numbers": Jsonb(dict(step.numbers)), "erasure_id": erasure_id}
    cursor.execute(SQL["add_step"], row)


def reopen(cursor: Cursor, erasure_id: str) -> None:
    """Something is left to do again."""
    cursor.execute(SQL["reopen"], {"erasure_id": erasure_id})


def all_syncs(cursor: Cursor) -> dict[int, str]:
    """Every sync of the database: its id → its name."""
    return {row["sync_id"]: row["name"] for row in many(cursor, SQL["all_syncs"])}
