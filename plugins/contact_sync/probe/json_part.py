"""The part of a probe about single values in JSON upserts: each by a call of its own."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from contact_sync.base.account_question import OTHER, UNSEEN
from contact_sync.config.account_profile import Answer
from contact_sync.probe.account import Account
from contact_sync.probe.outcome import AFTER, BEFORE, Case, Seen, outcome
from contact_sync.probe.prepared import UNPREPARED, prepared
from contact_sync.sendgrid.raw_calls import Exchange

DAY = "2021-02-11T00:00:00Z"
HAD: dict[str, tuple[str, Any]] = {
    "text": ("first_name", "Had"), "custom_text": ("text", "had"),
    "number": ("number", 5), "date": ("date", DAY),
}  # fmt: skip
PHONE = "+447700900123"  # of those that Ofcom keeps for dramas
LONG_COUNTRY = "x" * 52
CASES = (
    *(Case(f"json_empty_{kind}", where, had, "") for kind, (where, had) in HAD.items()),
    *(Case(f"json_null_{kind}", where, had, None) for kind, (where, had) in HAD.items()),
    Case("json_long_text", "first_name", None, "x" * 51),
    Case("country_length", "country", None, LONG_COUNTRY),
    Case("json_bad_date", "date", None, "AAAAA"),
    Case("json_bad_phone", "phone_number", None, "000"),
    Case("shared_phone", "phone_number", None, PHONE),
    Case("deprecated_field", "facebook", None, "contact-sync-probe"),
    Case("own_alternate", "alternate_emails", None, ()),
    Case("identifier_missing", "external_id", "contact-sync-probe", ...),
    Case("unknown_key", "contact_sync_probe", None, "x"),
)  # fmt: skip


def ask(account: Account, asked: Set[str]) -> dict[str, Answer]:
    """The answers to the questions of this part that are asked."""
    wanted = [case for case in CASES if case.code in asked]
    ids = account.fields() if any(case.custom for case in wanted) else {}
    names = {kind: account.field_name(kind) for kind in ids}
    owner = account.address("phone owner")
    account.sent([{"email": owner, "phone_number": PHONE}])
    cases = prepared(
        account, wanted, lambda case: _contact(account, case, case.before, BEFORE, ids), names
    )
    if not account.look([owner]).get(owner, {}).get("phone_number"):
        cases = [case for case in cases if case.code != "shared_phone"]
    sent = {
        case.code: account.put([_contact(account, case, case.sent, AFTER, ids)]) for case in cases
    }
    reported = {code: _reported(account, found) for code, found in sent.items()}
    account.settle()
    found = account.look(account.address(case.code) for case in wanted)
    return {case.code: UNPREPARED for case in wanted} | {
        case.code: _answer(account, case, sent[case.code], reported[case.code], found, names)
        for case in cases
    }


def _contact(
    account: Account, case: Case, value: Any, mark: str, ids: dict[str, str]
) -> dict[str, Any]:
    address = account.address(case.code)
    contact: dict[str, Any] = {"email": address, "last_name": mark}
    if value is ... or (value is None and mark == BEFORE):
        return contact
    if case.code == "own_alternate":
        value = [address]
    if case.custom:
        contact["custom_fields"] = {ids[case.where]: value}
    else:
        contact[case.where] = value
    return contact


def _reported(account: Account, found: Exchange) -> bool | None:
    """Whether the job of one contact reported it; None = that can't be told, as of a job that
    isn't known, or failed without an errored row: by chance."""
    if not found.ok:
        return None
    job = account.finish(str(found.body["job_id"]))
    results = job.get("results")
    if not isinstance(results, dict):
        return None
    return True if results.get("errored_count") else None if job["status"] == "failed" else False


def _answer(
    account: Account,
    case: Case,
    sent: Exchange,
    reported: bool | None,
    found: dict[str, dict[str, Any]],
    names: dict[str, str],
) -> Answer:
    contact = found.get(account.address(case.code))
    seen = Seen(None if sent.ok else sent.status, contact, reported)
    taken = sent.ok and contact is not None and contact.get("last_name") == AFTER
    if case.code == "country_length":
        return _country(seen, taken=taken)
    if case.code in ("unknown_key", "deprecated_field") and taken and reported is False:
        is_there = bool((contact or {}).get(case.where))
        return Answer("stored" if is_there else "ignored", "accepted; the contact is read back")
    if case.code == "own_alternate" and taken and reported is False:
        is_there = bool((contact or {}).get("alternate_emails"))
        return Answer("stored" if is_there else "left_out", "accepted; the contact is read back")
    if case.code == "identifier_missing" and taken:
        return Answer("stored", "accepted; the row took effect")
    return outcome(case, seen, names)


def _country(seen: Seen, *, taken: bool) -> Answer:
    """Of 52 characters: whether that is too long, whatever then happens."""
    kept = len(str((seen.contact or {}).get("country") or ""))
    if kept == len(LONG_COUNTRY):
        return Answer("segmentation", "52 characters are read back")
    if kept == 50:
        return Answer("fields", "of 52 characters 50 are read back")
    if seen.refused == 400 or (seen.reported and not (taken and kept)):
        return Answer("fields", "52 characters are refused")
    if kept:
        return Answer(OTHER, f"of 52 characters {kept} are read back")
    return Answer(UNSEEN, "neither a value nor a report was seen")
