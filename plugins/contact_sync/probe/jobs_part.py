"""The part of a probe about jobs: how long they take, which are known, and what they do."""

from __future__ import annotations

import secrets
from collections.abc import Set
from typing import Any
from urllib.parse import quote

from contact_sync.base.account_question import UNSEEN
from contact_sync.config.account_profile import Answer
from contact_sync.probe.account import POLL_SECONDS, Account
from contact_sync.sendgrid.raw_calls import CONTACTS, LISTS, Exchange

EFFECT_SECONDS = 180.0
"""So long a contact may be shown on a list that it was taken off."""


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
    clock, mark = account.clock, secrets.token_hex(4)
    address = account.address("times")
    start = clock.now()
    job = account.put([{"email": address, "last_name": mark}])
    account.finish(str(job.body.get("job_id", "")))
    ended = clock.now()
    took = max(0, round(ended - start))
    found = {"job_seconds": Answer(took, f"its status was terminal after {took} seconds")}
    if "search_lag" in asked:
        account.until(lambda: account.look([address]).get(address, {}).get("last_name") == mark)
        lag = max(0, round(clock.now() - ended))
        found["search_lag"] = Answer(lag, f"it was found {lag} seconds later, of its job's end")
    if "count_lag" in asked:
        found["count_lag"] = _count_lag(account)
    return found


def _count_lag(account: Account) -> Answer:
    """From the job's end until the list's count is that of the contacts which searches show."""
    account.settle()
    own = account.list_id()
    shown = account.look(account.made.addresses.values())
    wanted = 1 + sum(own in (contact.get("list_ids") or []) for contact in shown.values())
    job = account.put([{"email": account.address("counted")}])
    account.finish(str(job.body.get("job_id", "")))
    lag = account.until(lambda: _count(account) == wanted)
    if lag is None:
        return Answer(UNSEEN, "the list's count didn't become right in time")
    return Answer(round(lag), f"the list's count was right {lag:.0f} seconds after its job's end")


def _count(account: Account) -> int:
    found = account.call("GET", f"{LISTS}/{account.list_id()}/contacts/count")
    count = found.body.get("contact_count")
    return count if isinstance(count, int) else -1


def _shown(account: Account, label: str, **more: Any) -> dict[str, Any]:
    """A contact of the probe's, once searches show it."""
    address = account.address(label)
    account.put([{"email": address, **more}])
    account.settle()
    return account.look([address])[address]


def _unlist(account: Account, ids: list[str]) -> Exchange:
    path = f"{LISTS}/{account.list_id()}/contacts?contact_ids={','.join(ids)}"
    return account.call("DELETE", path)


def _taken(found: Exchange, what: str) -> Answer:
    return Answer("accepted" if found.ok else "refused", f"{what}: answered by {found.status}")


def _list_removal(account: Account) -> dict[str, Answer]:
    contact = _shown(account, "removal")
    removed = _unlist(account, [contact["id"]])
    if not removed.ok:
        nothing = Answer(UNSEEN, f"the call was answered by {removed.status}")
        return {"list_removal_job": nothing, "list_removal_effect": nothing}
    job = _served(account, removed)
    address, own = account.address("removal"), account.list_id()

    took = account.until(lambda: _without(account, address, own), EFFECT_SECONDS)
    said = (
        f"still on the list after {EFFECT_SECONDS:.0f} seconds"
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
    statuses = []
    for _ in range(3):
        asked = account.call("GET", f"{CONTACTS}/imports/{quote(job_id, safe='')}")
        statuses.append(asked.status)
        if asked.ok:
            return Answer("served", "its status was told")
        account.clock.sleep(POLL_SECONDS)
    if set(statuses) == {404}:
        return Answer("unknown", "404, three times")
    return Answer(UNSEEN, f"answered by {statuses[-1]}")


def _identifier_removal(account: Account) -> Answer:
    contact = _shown(account, "identifier", external_id="contact-sync-probe-taken")
    body = {"identifier_type": "EXTERNALID", "identifier_value": "contact-sync-probe-taken"}
    begun = account.call("DELETE", f"{CONTACTS}/{contact['id']}/identifiers", body)
    if not begun.ok:
        return Answer(UNSEEN, f"the call was answered by {begun.status}")
    return _served(account, begun)
