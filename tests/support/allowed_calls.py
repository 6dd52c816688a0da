"""The only calls that the product may make, in one place; every test's calls are checked with it.

A call that a test makes itself, to play somebody else, says so with the header `X-Test`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

CONTACTS, LISTS = "/v3/marketing/contacts", "/v3/marketing/lists"
SUPPRESSIONS = "/v3/asm/suppressions/global"
AS_TEST = {"X-Test": "preparation"}
MAX_IDS = 100
ALLOWED = {
    "api": {
        ("GET", "/v3/scopes"),
        ("GET", LISTS),
        ("GET", "/v3/marketing/field_definitions"),
        ("POST", "/v3/marketing/field_definitions"),
        ("GET", f"{CONTACTS}/imports/{{job_id}}"),
        ("PUT", CONTACTS),
        ("PUT", f"{CONTACTS}/imports"),
        ("POST", f"{CONTACTS}/search/emails"),
        ("DELETE", CONTACTS),
        ("DELETE", f"{LISTS}/{{list_id}}/contacts"),
        ("GET", f"{SUPPRESSIONS}/{{email}}"),
        ("POST", SUPPRESSIONS),
        ("GET", "/v3/suppression/unsubscribes"),
        ("GET", "/v3/suppression/spam_reports"),
        ("GET", "/v3/suppression/invalid_emails"),
        ("GET", "/v3/suppression/bounces"),
        ("GET", "/v3/suppression/blocks"),
        ("GET", "/v3/asm/suppressions"),
        ("GET", "/v3/asm/groups/{group_id}/suppressions"),
        ("GET", "/v3/suppression/spam_reports/{email}"),
        ("GET", "/v3/asm/groups"),
        ("GET", "/v3/asm/suppressions/{email}"),
        ("POST", "/v3/asm/groups/{group_id}/suppressions/search"),
        ("POST", "/v3/asm/groups/{group_id}/suppressions"),
        ("POST", "/v3/recipients/erasejob"),
        ("GET", f"{CONTACTS}/count"),
        ("POST", f"{CONTACTS}/exports"),
        ("GET", f"{CONTACTS}/exports/{{export_id}}"),
    },
    "upload": {
        ("PUT", "/imports/{job_id}"),
        ("GET", "/errors/{job_id}/{name}"),
        ("GET", "/exports/{export_id}/{name}"),
    },
}
IDS = {CONTACTS: "ids", f"{LISTS}/{{list_id}}/contacts": "contact_ids"}


def forbidden_calls(calls: Iterable[Mapping[str, Any]]) -> list[str]:
    """Say which of the emulator's calls came from the product and are not allowed."""
    return [
        f"{call['method']} {call['path']}?{call['query']} at the {call['origin']} origin"
        for call in calls
        if not call["by_test"] and not is_allowed(call)
    ]


def is_allowed(call: Mapping[str, Any]) -> bool:
    """Whether the product may make a call; a DELETE names 1 to 100 ids and nothing else."""
    if (call["method"], call["route"]) not in ALLOWED[call["origin"]]:
        return False
    if call["method"] != "DELETE":
        return True
    query = parse_qs(call["query"], keep_blank_values=True)
    ids = ",".join(query.get(IDS[call["route"]], [""])).split(",")
    return len(query) == 1 and all(ids) and len(ids) <= MAX_IDS


def is_upsert(call: Mapping[str, Any]) -> bool:
    """Whether a call is a JSON upsert."""
    return (call["method"], call["route"]) == ("PUT", "/v3/marketing/contacts")
