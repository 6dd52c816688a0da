"""The parts of a probe about CSV imports: one file with all rows, one that may fail as a whole."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Set
from typing import Any

from contact_sync.base.account_question import OTHER, UNSEEN
from contact_sync.base.errors import FatalError
from contact_sync.config.account_profile import Answer
from contact_sync.probe.account import Account
from contact_sync.probe.errors_file import answers_about, read_file
from contact_sync.probe.json_part import HAD
from contact_sync.probe.outcome import AFTER, BEFORE, Case, Seen, outcome, value_of
from contact_sync.probe.prepared import UNPREPARED, prepared
from contact_sync.sendgrid.raw_calls import CONTACTS

COLUMNS = ("email", "last_name", "first_name", "text", "number", "date")
FILLED = {"first_name": "Filled", "text": "filled", "number": "7", "date": "02/11/2021"}
"""What the other cells of a row hold: none is empty, or it would answer another question."""
LONG = "12345678901234567"
CASES = (
    *(Case(f"csv_empty_{kind}", where, had, "") for kind, (where, had) in HAD.items()),
    Case("csv_bad_date", "date", None, "AAAAA"),
    Case("csv_iso_date", "date", None, "2021-02-12", "2021-02-12T00:00:00Z"),
    Case("csv_negative_number", "number", None, "-12", -12),
    Case("csv_decimals", "number", None, "1.234", 1.234),
    Case("csv_long_number", "number", None, LONG, int(LONG)),
)


def ask(account: Account, asked: Set[str]) -> dict[str, Answer]:
    """The answers to the questions of this part that are asked, by one import."""
    cases = [case for case in CASES if case.code in asked]
    if not any(case.code == "csv_bad_date" for case in cases):
        cases.append(next(case for case in CASES if case.code == "csv_bad_date"))
    ids, wanted = account.fields(), cases
    names = {kind: account.field_name(kind) for kind in ids}
    cases = prepared(account, wanted, lambda case: _before(account, case, ids), names)
    rows = [_row(account.address(case.code), **{case.where: case.sent}) for case in cases]
    twice = account.address("csv_duplicates")
    rows += [_row(twice, last_name="first"), _row(twice, last_name="last")]
    job = import_rows(account, rows, ids)
    account.settle()
    errored = _errored(job)
    if errored is None or job["status"] == "failed":
        failed = "the import failed as a whole" if job else "the import's job isn't known"
        return dict.fromkeys(asked, Answer(UNSEEN, failed))
    found = account.look([*(account.address(case.code) for case in cases), twice])
    file = read_file(account, job)
    contacts = {case.code: found.get(account.address(case.code)) for case in cases}
    lost = {code for code, contact in contacts.items() if _is_lost(contact)}
    untouched = {
        case.code
        for case in cases
        if case.code not in lost and _is_untouched(case, contacts, names)
    }
    named = {case.code for case in cases if account.address(case.code) in file.text.lower()}
    answers = dict.fromkeys((case.code for case in wanted), UNPREPARED)
    answers |= {"csv_duplicates": _duplicates(found.get(twice))}
    for case in cases:
        reported = _reported(case.code, named, errored, lost, untouched)
        answers[case.code] = _answer(case, Seen(None, contacts[case.code], reported), names)
    answers |= answers_about(file, len(COLUMNS), errored)
    return {code: answer for code, answer in answers.items() if code in asked}


def ask_ragged(account: Account, _asked: Set[str]) -> dict[str, Answer]:
    """What a row that lacks a cell does, by an import of its own; by another one if no row took
    effect, as an import can also fail by chance."""
    ids = account.fields()
    for number in (1, 2):
        labels = [f"ragged {what} {number}" for what in ("good", "short", "last")]
        good, short, last = (account.address(label) for label in labels)
        job = import_rows(account, [_row(good), _row(short)[:-1], _row(last)], ids)
        account.settle()
        found = account.look([good, short, last])
        if short in found:
            return {"csv_ragged_row": Answer(OTHER, "the row that lacks a cell took effect")}
        if good in found and last in found:
            return {"csv_ragged_row": Answer("row", "the rows beside it took effect")}
    if found or job.get("status") not in ("errored", "failed"):
        said = "not all of the rows beside it took effect, and the job doesn't say why"
        return {"csv_ragged_row": Answer(UNSEEN, said)}
    return {"csv_ragged_row": Answer("file", "no row of the file took effect, in two imports")}


def import_rows(account: Account, rows: list[list[str]], ids: dict[str, str]) -> dict[str, Any]:
    """Import rows of COLUMNS onto the probe's list; returns the job once it is over."""
    reserved = account.reserved_ids()
    mappings = [ids[name] if name in ids else reserved[name] for name in COLUMNS]
    body = {"file_type": "csv", "field_mappings": mappings, "list_ids": [account.list_id()]}
    begun = account.call("PUT", f"{CONTACTS}/imports", body)
    job_id, url = str(begun.body.get("job_id", "")), str(begun.body.get("upload_uri", ""))
    headers = begun.body.get("upload_headers")
    if not (begun.ok and job_id and url and isinstance(headers, list)):
        raise FatalError(f"SendGrid refused to begin an import ({begun.status})")
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *rows])
    made, now = account.made, account.clock.now()
    made.uploads[job_id], made.is_unsettled = now, True
    made.save()
    given = {str(item["header"]): str(item["value"]) for item in headers}
    account.calls.upload(url, given, text.getvalue().encode())
    del made.uploads[job_id]
    made.jobs[job_id] = now
    made.save()
    return account.finish(job_id)


def _before(account: Account, case: Case, ids: dict[str, str]) -> dict[str, Any]:
    contact: dict[str, Any] = {"email": account.address(case.code), "last_name": BEFORE}
    if case.before is None:
        return contact
    custom = {ids[case.where]: case.before} if case.custom else {}
    return contact | ({"custom_fields": custom} if custom else {case.where: case.before})


def _row(address: str, **cells: str) -> list[str]:
    filled = {"email": address, "last_name": AFTER, **FILLED, **cells}
    return [filled[column] for column in COLUMNS]


def _is_lost(contact: dict[str, Any] | None) -> bool:
    return contact is None or contact.get("last_name") != AFTER


def _errored(job: dict[str, Any]) -> int | None:
    """How many rows were reported, by their number; None = there are no numbers."""
    results = job.get("results")
    if not isinstance(results, dict):
        return None
    count = results.get("errored_count", 0)
    return count if isinstance(count, int) else None


def _is_untouched(
    case: Case, contacts: Mapping[str, dict[str, Any] | None], names: Mapping[str, str]
) -> bool:
    """Whether the row took effect, save its value."""
    return bool(value_of(contacts[case.code] or {}, case.where, names) == case.before)


def _reported(
    code: str, named: Set[str], errored: int, lost: Set[str], untouched: Set[str]
) -> bool | None:
    """Whether a row was reported; None = that can't be told. `named`: in the errors file, which may
    lack some; then, and without a file, the number of reported rows has to tell. A row may be lost
    by chance, too: that errors lose their rows is only known if what is surely one has lost its."""
    if code in named:
        return True
    if len(named) >= errored:
        return False
    if errored >= len(lost | untouched | named):
        return code in lost | untouched
    if "csv_bad_date" not in lost or errored < len(lost | named):
        return None
    return True if code in lost else False if errored == len(lost | named) else None


def _answer(case: Case, seen: Seen, names: dict[str, str]) -> Answer:
    found = outcome(case, seen, names)
    if case.code == "csv_long_number" and seen.contact is not None:
        value = value_of(seen.contact, case.where, names)
        if value == int(LONG):
            return Answer("exact", "17 digits are read back as they were sent")
        if isinstance(value, int | float) and float(value) == float(LONG):
            return Answer("rounded", "17 digits are read back, the last ones are others")
    return found


def _duplicates(contact: dict[str, Any] | None) -> Answer:
    mark = str((contact or {}).get("last_name") or "")
    if mark in ("first", "last"):
        return Answer(mark, f"the values of the {mark} row are read back")
    return Answer(UNSEEN if contact is None else OTHER, "neither row's values are read back")
