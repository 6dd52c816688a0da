"""The part of a probe about jobs: how long they take, which are known, and what they do."""

from __future__ import annotations

import secrets
from collections.abc import Set
from typing import Any

from contact_sync.base.account_question import UNSEEN
from contact_sync.base.errors import AuthError, RetryableError
from contact_sync.config.account_profile import Answer
from contact_sync.probe.account import Account
from contact_sync.sendgrid.raw_calls import CONTACTS, LISTS, Exchange

EFFECT_SECONDS = 180.0
"""So long a contact may be shown on a list that it was taken off."""
SERVED_SECONDS = 60.0
"""So long a job may be unknown that was accepted."""


def ask(account: Account, asked: Set[str]) -> dict[str, Answer]:
    """The answers to the questions of this part that are asked."""
    found: dict[str, Answer] = {}
    if not asked.isdisjoint({"job_seconds", "search_lag", "count_lag"}):
        found |= _times(account, asked)
    if not asked.isdisjoint({"list_removal_job", "list_removal_effect"}):
        found |= _list_removal(account)
    if not asked.isdisjoint({"many_ids", "no_ids"}):
        contact_id = _shown(account, "ids")["id"]
        many = _unlist(account, [contact_id] * 101)
        none = _unlist(account, [])
        found |= {"many_ids": _taken(many, "101 ids"), "no_ids": _taken(none, "no id")}
    if "identifier_removal_job" in asked:
        found["identifier_removal_job"] = _identifier_removal(account)
    return found


def _times(account: Account, asked: Set[str]) -> dict[str, Answer]:
    mark = secrets.token_hex(4)
    address = account.address("times")
    account.settle()  # what is waited for then is this job alone

    def job_ends() -> bool:
        return bool(account.finish(account.sent([{"email": address, "last_name": mark}])))

    def is_found() -> bool:
        return account.look([address]).get(address, {}).get("last_name") == mark

    found = {"job_seconds": _seconds(account.timed(job_ends), "its status was terminal")}
    if found["job_seconds"].answer == UNSEEN:
        found["search_lag"] = Answer(UNSEEN, "its job's end wasn't seen")
    else:
        lag = account.timed(lambda: account.until(is_found) is not None)
        found["search_lag"] = _seconds(lag, "it was found, after its job's end,")
    if "count_lag" in asked:
        found["count_lag"] = _count_lag(account)
    return found


def _count_lag(account: Account) -> Answer:
    """From the job's end until the list's count is that of the contacts which searches show."""
    account.settle()
    own = account.list_id()
    shown = account.look(account.made.addresses.values())
    wanted = 1 + sum(own in (contact.get("list_ids") or []) for contact in shown.values())
    if _count(account) == wanted:  # also waits for the minute's limit, if that is used up
        return Answer(UNSEEN, "the list's count was higher than what searches show")
    if not account.finish(account.sent([{"email": account.address("counted")}])):
        return Answer(UNSEEN, "its job isn't known")
    lag = account.timed(lambda: account.until(lambda: _count(account) == wanted) is not None)
    return _seconds(lag, "the list's count was right, after its job's end,")


def _seconds(took: float | None, what: str) -> Answer:
    if took is None:
        return Answer(UNSEEN, "it didn't come about in time, or a call had to wait meanwhile")
    return Answer(round(took), f"{what} after {took:.0f} seconds")


def _count(account: Account) -> int:
    found = account.call("GET", f"{LISTS}/{account.list_id()}/contacts/count")
    count = found.body.get("contact_count")
    return count if isinstance(count, int) else -1


def _shown(account: Account, label: str, **more: Any) -> dict[str, Any]:
    """A contact of the probe's, once searches show it."""
    address = account.address(label)
    account.sent([{"email": address, **more}])
    account.settle()
    contact = account.look([address]).get(address)
    if contact is None:
        raise RetryableError("A contact of the probe's isn't found, although later ones are")
    return contact


def _unlist(account: Account, ids: list[str]) -> Exchange:
    path = f"{LISTS}/{account.list_id()}/contacts?contact_ids={','.join(ids)}"
    return account.call("DELETE", path)


def _taken(found: Exchange, what: str) -> Answer:
    return Answer("accepted" if found.ok else "refused", f"{what}: answered by {found.status}")


def _list_removal(account: Account) -> dict[str, Answer]:
    contact = _shown(account, "removal")
    if account.list_id() not in (contact.get("list_ids") or []):
        nothing = Answer(UNSEEN, "the contact isn't shown on the list that it was sent to")
        return {"list_removal_job": nothing, "list_removal_effect": nothing}
    removed = _unlist(account, [contact["id"]])
    if not removed.ok:
        nothing = Answer(UNSEEN, f"the call was answered by {removed.status}")
        return {"list_removal_job": nothing, "list_removal_effect": nothing}
    job = _served(account, removed)
    address, own = account.address("removal"), account.list_id()

    took = account.until(lambda: _without(account, address, own), EFFECT_SECONDS)
    if took is None:  # only if searches show what was sent meanwhile, it stays
        start = account.clock.now() - EFFECT_SECONDS
        account.settle()
        if _without(account, address, own):
            took = account.clock.now() - start
    said = (
        f"still on the list after {EFFECT_SECONDS:.0f} seconds, when a later change was found"
        if took is None
        else f"off the list after {took:.0f} seconds"
    )
    effect = "nothing" if took is None else "removes"
    return {"list_removal_job": job, "list_removal_effect": Answer(effect, said)}


def _without(account: Account, address: str, list_id: str) -> bool:
    contact = account.look([address]).get(address)
    return contact is not None and list_id not in (contact.get("list_ids") or [])


def _served(account: Account, begun: Exchange) -> Answer:
    """Whether a job is known: asked at once and again, as it may be known only later."""
    job_id = str(begun.body.get("job_id", ""))
    if not job_id:
        return Answer(UNSEEN, "the answer names no job")
    asked: list[Exchange] = []

    def is_known() -> bool:
        asked.append(account.job(job_id))
        return asked[-1].ok

    if account.until(is_known, SERVED_SECONDS) is not None:
        return Answer("served", "its status was told")
    if {each.status for each in asked} == {404}:
        return Answer("unknown", f"404, for {SERVED_SECONDS:.0f} seconds")
    return Answer(UNSEEN, f"answered by {asked[-1].status}")


def _identifier_removal(account: Account) -> Answer:
    contact = _shown(account, "identifier", external_id="contact-sync-probe-taken")
    body = {"identifier_type": "EXTERNALID", "identifier_value": "contact-sync-probe-taken"}
    try:
        begun = account.call("DELETE", f"{CONTACTS}/{contact['id']}/identifiers", body)
    except AuthError as error:  # a call that is new, and not open to every account
        return Answer(UNSEEN, str(error))
    if not begun.ok:
        return Answer(UNSEEN, f"the call was answered by {begun.status}")
    return _served(account, begun)
