"""Carry out jobs: apply rows to the contacts, delete, take off lists.

Rows are parsed in a thread and applied by the event loop in short pieces, so that answers go on
while a million of them run, and so that nothing else ever touches the contacts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import orjson

from local.sendgrid_emulator.jobs.attempts import Attempt, Attempts, Unprocessable, json_attempts
from local.sendgrid_emulator.jobs.csv_import import (
    MAPPING_MISMATCH,
    POISONED,
    Survey,
    count_lines,
    csv_attempts,
    survey,
)
from local.sendgrid_emulator.model.account import Account, Import
from local.sendgrid_emulator.model.contacts import LimitReached, Row
from local.sendgrid_emulator.model.errors_file import ErrorsFile, flat_columns
from local.sendgrid_emulator.model.fields import EMAIL
from local.sendgrid_emulator.model.jobs import Job
from local.sendgrid_emulator.model.values import RowError

LIMIT_REACHED = "you have hit your contact limit"  # go#413
HALFWAY = "internal error"


class _Stopped(Exception):  # carries the outcome of a job
    """A job ends early, with this message."""


async def run_upsert(account: Account, job: Job, packed: bytes, list_ids: tuple[str, ...]) -> None:
    """Carry out a JSON upsert; its contacts wait as JSON, which is a tenth of them as objects."""
    contacts: list[dict[str, Any]] = orjson.loads(packed)
    columns = flat_columns(contacts)
    identifier = columns.index("email") if "email" in columns else 0
    attempts = json_attempts(contacts, account.fields, account.settings)
    if is_poisoned(contacts, account.settings.poison_emails):
        job.failure = POISONED
    else:
        await apply(account, job, attempts, list_ids, columns, identifier)
    finish(account, job)


async def run_counted(account: Account, job: Job) -> None:
    """Carry out a JSON upsert whose contacts were only counted."""
    job.created = job.requested
    finish(account, job)


def is_poisoned(contacts: list[dict[str, Any]], poison: list[str]) -> bool:
    """Return whether one of the contacts makes its whole job fail."""
    return any((contact.get("email") or "").lower() in poison for contact in contacts)


async def run_import(account: Account, job: Job, started: Import) -> None:
    """Carry out a CSV import."""
    started.started = True
    try:
        await _import(account, job, started)
    except Unprocessable as problem:
        job.failure = str(problem)
    started.upload = None
    finish(account, job)


async def _import(account: Account, job: Job, started: Import) -> None:
    upload, settings = started.upload, account.settings
    if upload is None:
        raise AssertionError("an import is submitted when its file has arrived")
    if upload.multipart:
        raise Unprocessable(MAPPING_MISMATCH)
    if upload.only_counted:
        job.requested = job.created = await asyncio.to_thread(count_lines, upload.spool)
        return
    found = Survey()
    reading = survey(upload.spool, started.mapping, settings, found)
    while await asyncio.to_thread(next, reading, None) is not None:
        continue
    job.requested = found.contacts  # the different ones, as the mail's "Processed" counts them [K]
    attempts = csv_attempts(upload.spool, started.mapping, found, settings)
    slots = [item.slot if item else -1 for item in started.mapping]
    identifier = slots.index(EMAIL) if EMAIL in slots else 0
    await apply(account, job, attempts, started.list_ids, found.columns, identifier)


async def apply(
    account: Account,
    job: Job,
    attempts: Attempts,
    list_ids: tuple[str, ...],
    columns: list[str],
    identifier: int,
) -> None:
    """Apply rows until they end, the plan's limit is met, or the job's fault stops it."""
    errors = ErrorsFile(columns, identifier, account.settings)
    account.contacts.limit = account.settings.contact_limit
    account.contacts.strict_identifiers = account.settings.identifiers == "error"
    account.contacts.unique_phones = account.settings.shared_phones == "refuse"
    lists = tuple(item for item in list_ids if item in account.lists)
    try:
        while (piece := await asyncio.to_thread(next, attempts, None)) is not None:
            apply_piece(account, job, piece, lists, errors)
    except _Stopped as stopped:
        job.failure = str(stopped)
    errors.close()
    if job.errored:
        job.errors = errors
        account.remember_errors(job)


def apply_piece(
    account: Account, job: Job, piece: list[Attempt], lists: tuple[str, ...], errors: ErrorsFile
) -> None:
    """Apply some rows at once; this is what the event loop waits for."""
    now, width, upsert = account.clock.now(), account.fields.width, account.contacts.upsert
    halfway = job.rows_to("fails_halfway")
    for sent, row, error in as_ordered(piece, job, account.settings.refused_emails):
        if halfway is not None and rows_done(job) >= halfway:
            raise _Stopped(HALFWAY)
        problem = error
        if row is not None:
            try:
                change = upsert(row, lists, width, job.accepted_at, now)
            except LimitReached:
                raise _Stopped(LIMIT_REACHED) from None
            except RowError as refused:
                problem = str(refused)
            else:
                setattr(job, change, getattr(job, change) + 1)
        if problem is not None:
            job.errored += 1
            errors.add(sent, problem)


def as_ordered(piece: list[Attempt], job: Job, refused_emails: dict[str, str]) -> list[Attempt]:
    """Return a piece without the rows that the job's fault drops, with those refused by address."""
    dropped = max(0, (job.rows_to("drops_rows") or 0) - job.dropped)
    job.dropped += min(dropped, len(piece))
    kept = piece[dropped:] if dropped else piece
    if not refused_emails:
        return kept
    return [refused(attempt, refused_emails) for attempt in kept]


def refused(attempt: Attempt, refused_emails: dict[str, str]) -> Attempt:
    """Return a row as an error if its address is one to refuse."""
    reason = None if attempt.row is None else refused_emails.get(email_of(attempt.row))
    return attempt if reason is None else Attempt(attempt.sent, None, reason)


def email_of(row: Row) -> str:
    """Return the lower-cased address of a row, or nothing."""
    return str(row.values[row.slots.index(EMAIL)]) if EMAIL in row.slots else ""


def rows_done(job: Job) -> int:
    """Return how many rows a job has dealt with."""
    return job.created + job.updated + job.unchanged + job.errored


async def run_delete(account: Account, job: Job, contact_ids: Iterable[str]) -> None:
    """Carry out a deletion of contacts."""
    wanted = dealt_with(job, list(contact_ids))
    job.deleted = account.contacts.delete(wanted, account.clock.now())
    pretend(job, "deleted")
    finish(account, job)


def dealt_with(job: Job, contact_ids: list[str]) -> list[str]:
    """Return the contacts that a deletion or removal deals with, given its fault."""
    halfway = job.rows_to("fails_halfway")
    if halfway is not None:
        job.failure = HALFWAY
        return contact_ids[:halfway]
    if job.fault is not None and job.fault.kind == "no_effect":
        return []
    return contact_ids[job.rows_to("drops_rows") or 0 :]


def pretend(job: Job, counted: str) -> None:
    """Count what a job without effect was asked for."""
    if job.fault is not None and job.fault.kind == "no_effect":
        setattr(job, counted, job.requested)


async def run_delete_all(account: Account, job: Job) -> None:
    """Delete every contact."""
    await run_delete(account, job, list(account.contacts.by_id))


async def run_list_removal(
    account: Account, job: Job, list_id: str, contact_ids: list[str]
) -> None:
    """Take contacts off a list."""
    wanted = dealt_with(job, contact_ids)
    if account.settings.list_removal_effect == "nothing":
        job.updated = len(wanted)
    else:
        now = account.clock.now()
        job.updated = account.contacts.remove_from_list(list_id, wanted, now)
    pretend(job, "updated")
    finish(account, job)


async def run_identifier_removal(
    account: Account, job: Job, contact_id: str, slot: int, value: str
) -> None:
    """Take an identifier from a contact; the job fails if it cannot be."""
    now = account.clock.now()
    if account.contacts.remove_identifier(contact_id, slot, value, now):
        job.updated = 1
    else:
        job.failure = "the identifier cannot be deleted"
    finish(account, job)


def finish(account: Account, job: Job) -> None:
    """Let a job reach its terminal status, unless its fault is never to."""
    account.snapshot()
    if job.fault is None or job.fault.kind != "never_finishes":
        job.finish_at = account.clock.now() + account.settings.finish_delay
