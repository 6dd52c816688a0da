"""Before any time is taken: do the programs do the same work? A fast wrong one is worth nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import psycopg
import xxhash

from benchmarks.measure import measure
from benchmarks.world import World
from local.oracle import Expected, differences, expected

OWN = ("id", "created_at", "updated_at", "_metadata", "list_ids", "segment_ids")


class DisagreementError(Exception):
    """The programs don't do the same work; says in what they differ."""


def check(world: World) -> str:
    """Let product and baseline load the clients into an emulator that reads every cell.

    Both, and the oracle, must agree on rows, on rejects with their reasons and on every cell.
    Returns what was compared, in words. Raises DisagreementError.
    """
    wanted = expected(world.owner_url)
    lines = measured_rows(world)
    loaded = {program: load(world, program, wanted) for program in ("incremental", "baseline")}
    (product, refused), (baseline, rejected) = loaded.values()
    same("order-free hash of the cells", product, baseline)
    same("rejected clients", refused, rejected)
    same("rejected clients of the oracle", rejected, wanted.rejected)
    return (
        f"{world.clients:,} clients read by all three programs ({lines:,} lines), "
        f"{len(wanted.contacts):,} contacts with the same cells (hash {product:016x}), "
        f"{len(rejected):,} rejected, equal to the oracle's"
    )


def measured_rows(world: World) -> int:
    """How many lines the limit writes: a row with a line break in a value has two."""
    world.start_over(store_only=True)
    lines = int(measure(world, "limit").answer["rows"])
    if not world.clients <= lines <= world.clients * 1.05:
        raise DisagreementError(f"The limit wrote {lines} lines for {world.clients} clients")
    return lines


def load(world: World, program: str, wanted: Expected) -> tuple[int, dict[int, str]]:
    """Run a first load; returns the hash of the contacts and the rejected clients by reason."""
    world.start_over(store_only=False)
    answer = measure(world, program).answer
    same(f"rows of {program}", answer["rows"], world.clients)
    same(f"contacts sent by {program}", answer["sent"], len(wanted.contacts))
    contacts = world.emulator.admin.contacts()
    if found := differences(contacts, wanted, at_most=5):
        raise DisagreementError(f"{program} differs from the oracle: {'; '.join(found)}")
    rejected = answer.get("rejected")
    if rejected is None:
        return order_free_hash(contacts), refused_clients(world)
    return order_free_hash(contacts), {int(client): why for client, why in rejected.items()}


def refused_clients(world: World) -> dict[int, str]:
    """The clients that the product's ledger holds as rejected: their address is missing, or
    invalid for one of several reasons, which neither script nor oracle tells apart."""
    with psycopg.connect(world.target.state_url) as connection:
        rows = connection.execute(
            "SELECT client_id, CASE reason WHEN 'missing' THEN reason ELSE 'invalid' END "
            "FROM contact_sync.ledger WHERE state = 'rejected'"
        )
        return dict(rows.fetchall())


def order_free_hash(contacts: Mapping[str, dict[str, Any]]) -> int:
    """The sum of the contacts' hashes: any order gives the same, a different cell another one."""
    total = 0
    for contact in contacts.values():
        own = {key: value for key, value in contact.items() if value and key not in OWN}
        total += xxhash.xxh3_64_intdigest(json.dumps(own, sort_keys=True).encode())
    return total % 2**64


def same(what: str, one: object, other: object) -> None:
    """Raise DisagreementError unless both are equal."""
    if one != other:
        raise DisagreementError(f"{what}: {str(one)[:300]} against {str(other)[:300]}")
