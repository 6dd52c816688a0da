"""Verify a world, and judge what must come out by the oracle and the account's own view."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from contact_sync.state import verifications
from contact_sync.state.verifications import Finding, Verification
from contact_sync.verify.in_one_process import verify_sync
from local.oracle import differing_fields, expected
from tests.support.world import World

Judged = dict[tuple[str, str], tuple[str, ...]]
"""Verdict and address → the fields that differ."""


def verify(world: World, **options: Any) -> Verification:
    """Verify to the end."""
    with world.sync() as sync:
        return verify_sync(sync, holder="test", **options)


def findings(world: World, found: Verification) -> list[Finding]:
    """What it found."""
    with world.sync() as sync, sync.state.transaction() as cursor:
        return verifications.findings(cursor, found.verification_id)


def found_in(world: World, found: Verification) -> Judged:
    """What it found, by address: that of a client is B2CORE's."""
    addresses = dict(world.sql("SELECT id, lower(trim(email)) FROM b2core.clients"))
    return {
        (str(f.verdict), f.email or addresses[f.client_id]): f.fields
        for f in findings(world, found)
    }


def judged(world: World, excluded: Collection[int] = ()) -> Judged:
    """What must be found about clients, whom no run has to deal with first."""
    wanted, contacts = expected(world.b2core_url, excluded), world.contacts()
    found: Judged = {}
    for email, contact in wanted.contacts.items():
        held = contacts.get(email)
        if held is None:
            found["missing", email] = ()
            continue
        names = [name.removeprefix("custom field ") for name in differing_fields(held, contact)]
        mapped = {name.lower() for name in world.definition.fields}
        fields = tuple(sorted(name for name in names if name.lower() in mapped))
        if world.list_id not in held["list_ids"]:
            found["off_list", email] = fields
        elif fields:
            found["different", email] = fields
    return found


def in_order(judged: Judged) -> Judged:
    """With the fields in alphabetical order."""
    return {key: tuple(sorted(fields)) for key, fields in judged.items()}
