"""Take away what a probe has made, and nothing else: by the ids and addresses that it noted."""

from __future__ import annotations

from typing import Any

from contact_sync.base.errors import ConfigError, RetryableError
from contact_sync.base.numbers import count
from contact_sync.probe.account import JOB_SECONDS, LAG_SECONDS, Account, NotOver, NotTaken
from contact_sync.probe.listing import custom_fields, lists
from contact_sync.sendgrid.raw_calls import CONTACTS, FIELDS, LISTS

LATE_SECONDS = 120.0
"""A write whose answer got lost has taken effect by then, or never does."""
LONGEST_JOB_SECONDS = 3600.0
"""A job that isn't over so long after it was accepted is given up."""
PIECE = 50


def clean(account: Account) -> list[str]:
    """Delete the probe's contacts, fields and list; returns what it left alone, in words.

    Answers stay. Raises RetryableError when something is still there at the end: repeat it.
    """
    made = account.made
    check_account(account)
    left = _await_effects(account)
    list_id = _own_list(account)
    _settle(account)
    left += _contacts(account, list_id)
    for name, field_id in _own_fields(account).items():
        _gone(account, f"{FIELDS}/{field_id}", f"the field {name}")
        del made.fields[name]
        made.save()
    made.fields.clear()
    if list_id is not None:
        _gone(account, f"{LISTS}/{list_id}", "the list")
    made.list_id, made.has_list = None, False
    made.save()
    account.are_usable = False
    return left


def check_account(account: Account) -> None:
    """See that this is the account of the earlier probe: with another key its list must be there.

    Answers of what may be another account are forgotten. Raises ConfigError.
    """
    made, mark = account.made, account.calls.key_mark
    if made.key not in ("", mark):
        if made.is_empty:
            made.answers.clear()
        elif made.list_id is None or made.list_id not in lists(account.call).values():
            raise ConfigError(
                f"The connection has another key than when the earlier probe made what {made.path} "
                f"notes, and the probe's list {made.list_name!r} isn't there. If the key leads to "
                f"another account now, put the old one back and say --clean; else delete by hand "
                f"what is left, and then that file"
            )
    made.key = mark


def _await_effects(account: Account) -> list[str]:
    """Wait for writes under way: what they make couldn't be seen before. Returns what was given up,
    in words."""
    made, left = account.made, []
    if made.sent_at is not None:
        over = made.sent_at + LATE_SECONDS - account.clock.now()
        account.clock.sleep(min(max(over, 0.0), LATE_SECONDS))
    for job_id, since in list(made.jobs.items()):
        if not _is_over(account, job_id, since + LONGEST_JOB_SECONDS):
            del made.jobs[job_id]
            left.append("a job that isn't over after an hour: it may still make a contact")
    for job_id, since in list(made.uploads.items()):
        if not _is_over(account, job_id, since + JOB_SECONDS):
            del made.uploads[job_id]  # an import without a file never ends, and makes nothing
    made.sent_at = None
    made.save()
    return left


def _is_over(account: Account, job_id: str, until: float) -> bool:
    try:
        account.finish(job_id, max(until - account.clock.now(), 0.0))
    except NotOver:
        return False
    return True


def _settle(account: Account) -> None:
    """Have searches show all that was sent."""
    if not account.made.is_unsettled or account.made.list_id is None:
        return
    try:
        account.settle()
    except (NotOver, NotTaken):  # the list is gone, the plan is full: only time can tell
        account.clock.sleep(LATE_SECONDS)
    account.made.is_unsettled = False


def _contacts(account: Account, list_id: str | None) -> list[str]:
    """Delete the contacts; returns how many weren't the probe's."""
    made = account.made
    addresses = list(made.addresses.values())
    if not addresses:
        return []
    asked: set[str] = set()
    strange = 0

    def is_gone() -> bool:
        """Delete what is shown now: what was sent last may be shown only later."""
        nonlocal strange
        found = account.look(addresses, note=False)
        own = {
            str(contact["id"])
            for address, contact in found.items()
            if _is_own(account, address, contact, list_id)
        }
        strange = len(found) - len(own)
        _delete(account, sorted(own - asked))
        asked.update(own)
        return not own

    if account.until(is_gone, JOB_SECONDS + LAG_SECONDS) is None:
        raise RetryableError("SendGrid still shows contacts of the probe: repeat it with --clean")
    made.addresses.clear()
    made.contact_ids.clear()
    made.save()
    return [f"{count(strange, 'contact')} that the probe didn't make"] if strange else []


def _delete(account: Account, ids: list[str]) -> None:
    for start in range(0, len(ids), PIECE):
        deleted = account.call("DELETE", f"{CONTACTS}?ids={','.join(ids[start : start + PIECE])}")
        if not deleted.ok:
            raise RetryableError(f"Deleting the probe's contacts was answered by {deleted.status}")
        if job_id := str(deleted.body.get("job_id", "")):
            _is_over(account, job_id, account.clock.now() + JOB_SECONDS)  # what is shown decides


def _is_own(account: Account, address: str, contact: dict[str, Any], list_id: str | None) -> bool:
    """A contact is the probe's if it is the one that the probe has seen, or is on its list: every
    contact is sent onto that."""
    seen = account.made.contact_ids.get(address)
    on_list = list_id is not None and list_id in (contact.get("list_ids") or [])
    return contact.get("email") == address and (seen == contact.get("id") or on_list)


def _own_list(account: Account) -> str | None:
    made = account.made
    if made.list_id is not None or not made.has_list:
        return made.list_id
    made.list_id = lists(account.call).get(made.list_name)  # its answer got lost
    made.save()
    return made.list_id


def _own_fields(account: Account) -> dict[str, str]:
    made = account.made
    if any(field_id is None for field_id in made.fields.values()):
        there = custom_fields(account.call)
        known = {name: field_id or there.get(name) for name, field_id in made.fields.items()}
        made.fields = {name: field_id for name, field_id in known.items() if field_id}
        made.save()
    return {name: str(field_id) for name, field_id in made.fields.items()}


def _gone(account: Account, path: str, what: str) -> None:
    deleted = account.call("DELETE", path)
    if not deleted.ok and deleted.status != 404:
        raise RetryableError(f"Deleting {what} of the probe was answered by {deleted.status}")
