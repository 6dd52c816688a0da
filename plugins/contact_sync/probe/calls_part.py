"""The parts of a probe about the key, about how calls are answered, and about their limits."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Set
from typing import Any

from contact_sync.base.account_question import OTHER, UNSEEN
from contact_sync.base.errors import FatalError
from contact_sync.config.account_profile import Answer
from contact_sync.probe.account import Account
from contact_sync.sendgrid.raw_calls import CONTACTS, LISTS, Exchange

WRITING = ("marketing_campaigns.create", "marketing_campaigns.update")
HOSTS = {"api.sendgrid.com": "global", "api.eu.sendgrid.com": "eu",
         "127.0.0.1": "local", "localhost": "local", "::1": "local"}  # fmt: skip
EPOCH_FROM = 10_000_000
MOST_CALLS = 700
"""So many harmless calls are sent, at most, to see a 429."""
PLACES = {1: "true", 0: "first", 2: "next"}


def ask_key(account: Account, _asked: Set[str]) -> dict[str, Answer]:
    """What the key lists and may do. Raises FatalError when it may not write: nothing else can be
    asked then."""
    answered = account.call("GET", "/v3/scopes")
    listed = answered.body.get("scopes")
    region = Answer(
        HOSTS.get(account.calls.host(), OTHER), f"calls to {account.calls.host()} are answered"
    )
    if not isinstance(listed, list):
        said = f"the key's scopes aren't told ({answered.status})"
        return {"write_scopes": Answer(UNSEEN, said), "region": region}
    has = any(scope in listed for scope in WRITING)
    account.list_id()  # raises when it may not
    scopes = Answer(
        "listed" if has else "unlisted",
        f"{len(listed)} scopes, of them those that write "
        f"Marketing {'are' if has else 'are not'} listed; a list was made",
    )
    return {"write_scopes": scopes, "region": region}


def ask_fields(account: Account, _asked: Set[str]) -> dict[str, Answer]:
    """How long new fields can't be used."""
    account.fields()
    if account.field_seconds is None:
        waited = Answer(UNSEEN, "a call had to wait meanwhile, or the fields were usable before")
        return {"field_seconds": waited}
    seconds = round(account.field_seconds)
    said = f"an upsert with three new fields was accepted after {seconds} seconds"
    return {"field_seconds": Answer(seconds, said)}


def ask_calls(account: Account, asked: Set[str]) -> dict[str, Answer]:
    """How calls are answered that can't be carried out, and how contacts are shown."""
    found: dict[str, Answer] = {}
    if "unknown_list" in asked:
        contact = {"email": account.address("unknown list")}
        refused = account.put([contact], [str(uuid.uuid4())])
        code = str(refused.status)
        said = f"an upsert for a list that nobody has was answered by {code}"
        found["unknown_list"] = Answer(code if code in ("404", "400") else OTHER, said)
    if not asked.isdisjoint({"bad_email_field", "bad_email_place"}):
        found |= _bad_email(account)
    if "empty_search" in asked:
        found["empty_search"] = _empty_search(account)
    if not asked.isdisjoint({"segment_ids", "newest_segment_ids"}):
        found |= _segments(account)
    return found


def _bad_email(account: Account) -> dict[str, Answer]:
    contacts = [{"email": account.address("beside a bad one")}, {"email": "not an address"}]
    refused = account.put(contacts)
    errors = refused.body.get("errors")
    named = [str(item.get("field")) for item in errors or () if isinstance(item, dict)]
    match = next(
        (m for name in named if (m := re.fullmatch(r"contacts\[(\d+)\]\.(\w+)", name))), None
    )
    if match is None:
        nothing = Answer(OTHER, f"answered by {refused.status}, without a field contacts[N].…")
        return {"bad_email_field": nothing, "bad_email_place": nothing}
    said = f"the second contact's bad address was told of as {match[0]}"
    field = match[2] if match[2] in ("email", "identifier") else OTHER
    return {
        "bad_email_field": Answer(field, said),
        "bad_email_place": Answer(PLACES.get(int(match[1]), OTHER), said),
    }


def _empty_search(account: Account) -> Answer:
    nobody = account.address("nobody")
    found = account.call("POST", f"{CONTACTS}/search/emails", {"emails": [nobody]})
    keys = sorted(set(found.body) & {"errors", "result"})
    said = f"answered by {found.status}, with {' and '.join(keys) or 'neither'}"
    known = found.status == 404 and len(keys) == 1
    return Answer(keys[0] if known else OTHER, said)


def _segments(account: Account) -> dict[str, Answer]:
    account.settle()
    canary = account.address("canary")
    looked = account.look([canary])[canary]
    newest = account.call("GET", CONTACTS).body.get("result")
    listed = [item for item in newest or () if isinstance(item, dict)]
    shown = next((item for item in listed if item.get("email") == canary), None)
    return {
        "segment_ids": _shape(looked.get("segment_ids", ...), "a contact that was looked up"),
        "newest_segment_ids": Answer(UNSEEN, "the test contact isn't among the newest ones")
        if shown is None
        else _shape(shown.get("segment_ids", ...), "a contact among the newest"),
    }


def _shape(value: Any, what: str) -> Answer:
    shapes = {None: "null", ...: "left_out"}
    is_none = value is None or value is ...
    shape = "array" if isinstance(value, list) else shapes[value] if is_none else OTHER
    words = {"array": "a list", "null": "null", "left_out": "no such key", OTHER: "something else"}
    return Answer(shape, f"{what} has {words[shape]}")


def ask_rates(account: Account, asked: Set[str]) -> dict[str, Answer]:
    """What the headers about limits say, and what a 429 looks like."""
    own, other = account.list_id(), str(uuid.uuid4())
    count = f"{LISTS}/{{}}/contacts/count"
    answered = account.call("GET", count.format(own))
    limit, reset = answered.number("x-ratelimit-limit"), answered.number("x-ratelimit-reset")
    nothing = Answer(UNSEEN, "the answer has no such header")
    found = {
        "reset_form": nothing
        if reset is None
        else Answer("epoch" if reset >= EPOCH_FROM else "delta", f"it says {_about(reset)}"),
        "rate_limit": nothing if limit is None else Answer(limit, _limits_of(account)),
    }
    if "rate_buckets" in asked:
        apart = _are_apart(account, count, own, other)
        paths = _are_apart(account, f"{LISTS}/{{}}", own, other)
        said = "the headers' remaining calls, after calls for two lists"
        bucket = "path" if paths else "list" if apart else "template"
        unknown = apart is None or paths is None
        found["rate_buckets"] = Answer(UNSEEN if unknown else bucket, said)
    if "retry_after" in asked:
        found["retry_after"] = _retry_after(account, count.format(own), limit)
    return found


def _about(reset: int) -> str:
    return "a moment" if reset >= EPOCH_FROM else "at most a minute" if reset <= 60 else "a while"


def _limits_of(account: Account) -> str:
    """The limits of all calls so far, ids left out."""
    routes = {re.sub(r"/[0-9a-f-]{36}", "/{id}", route): n for route, n in account.limits.items()}
    return "; ".join(f"{route} {limit}" for route, limit in sorted(routes.items()))


def _are_apart(account: Account, path: str, own: str, other: str) -> bool | None:
    """Whether calls for two lists are counted each by itself, seen twice; None = it couldn't be
    told, also when somebody else's calls were counted meanwhile."""
    seen: list[int] = []
    for _ in range(6):
        calls = [account.call("GET", path.format(each)) for each in (own, other, own)]
        left = [call.number("x-ratelimit-remaining") for call in calls]
        if left[0] is None or left[2] is None:
            return None
        seen.append(left[0] - left[2])
        if seen[-1] in (1, 2) and seen[-2:] == 2 * seen[-1:]:
            return seen[-1] == 1
    return None


def _retry_after(account: Account, path: str, limit: int | None) -> Answer:
    if limit is None or limit > MOST_CALLS:
        return Answer(UNSEEN, f"the limit is {limit} calls a minute: too many to be used up")
    found: Exchange | None = None
    for _ in range(2 * MOST_CALLS):  # the minute may end in between
        found = account.call("GET", path, patient=False)
        if found.status == 429 and found.body:  # a page is something in between's
            break
    if found is None or found.status != 429 or not found.body:
        return Answer(UNSEEN, "no call was refused by SendGrid itself")
    there = "retry-after" in found.headers
    keys = ", ".join(sorted(found.body))
    return Answer("yes" if there else "no", f"429 with {keys}")


ROW = {"address_line_1": "x" * 100, "address_line_2": "x" * 100, "city": "x" * 60}
TOP, GRAIN, ENVELOPE = 6_000_000, 64_000, 200


def ask_size(account: Account, _asked: Set[str]) -> dict[str, Answer]:
    """The largest JSON upsert that is accepted, by bisection; its rows are one contact's."""
    low, high, refused = 0, TOP + GRAIN, None
    tried = TOP
    while high - low > GRAIN and low < TOP - GRAIN:
        size, found = _sized(account, tried)
        if found.ok:
            low = size
        elif found.status in (400, 413):
            high, refused = size, found
        else:
            raise FatalError(f"A JSON upsert of {size:,} bytes was answered by {found.status}")
        tried = (low + high) // 2
    if not low:
        raise FatalError(f"No JSON upsert of {GRAIN:,} bytes or more is accepted")
    said = f"{low:,} bytes are accepted" + ("" if refused is None else f", {high:,} are not")
    return {"json_limit": Answer(low, said), "too_large": _too_large(refused)}


def _sized(account: Account, most: int) -> tuple[int, Exchange]:
    """The answer to an upsert of so many bytes, or some hundred less, and how many they are."""
    row = {"email": account.address("size"), **ROW}
    each = len(json.dumps(row)) + len(", ")
    rows = max(1, (most - ENVELOPE) // each)
    found = account.put([row] * rows)
    if found.ok:
        account.finish(str(found.body["job_id"]))
    return len(json.dumps(found.sent)), found


def _too_large(refused: Exchange | None) -> Answer:
    if refused is None:
        return Answer(UNSEEN, f"{TOP:,} bytes are accepted, which is what is documented")
    is_json = bool(refused.body)
    code = {(400, True): "400", (413, True): "413", (413, False): "413_page"}.get(
        (refused.status, is_json), OTHER
    )
    return Answer(code, f"answered by {refused.status} with {'JSON' if is_json else 'a page'}")
