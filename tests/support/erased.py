"""Erase people in a world, and look for any trace of them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from psycopg import sql

from contact_sync.erasure.request import Subject, find_person, request
from contact_sync.run.erasing import continue_part
from contact_sync.run.outer_mark import count_erasures
from contact_sync.state import erasures
from tests.support import connections
from tests.support.world import World

KEYED = ("tombstone", "erasure_step")
"""Tables whose bytes are keyed hashes; they are looked through as all others are."""


def ask(world: World, *, client: str | None = None, email: str | None = None, **more: Any) -> str:
    """Ask for an erasure, and do nothing else; returns its id."""
    with world.sync() as sync:
        found = find_person(sync, Subject(client, email, tuple(more.pop("also", ()))))
        erasure_id = request(sync, found, by="test", reason="ticket 1")
        count_erasures(sync)
        return erasure_id


def go_on(world: World) -> list[str | None]:
    """Go on with what is open, without a run; returns why each isn't finished."""
    with world.sync() as sync:
        with sync.state.transaction() as cursor:
            ids = {name: number for number, name in erasures.all_syncs(cursor).items()}
            parts = erasures.open_parts(cursor, ids[world.definition.name])
        return [continue_part(sync, part) for part in parts]


def erase(world: World, **who: Any) -> str:
    """Erase somebody at once; returns the erasure's id."""
    erasure_id = ask(world, **who)
    assert go_on(world) == [None]
    return erasure_id


def outlast_the_search(world: World) -> None:
    """What was sent was sent so long ago that a search shows it."""
    world.state("UPDATE contact_sync.batch SET submitted_at = submitted_at - interval '1 hour', "
                "settled_at = settled_at - interval '1 hour' WHERE submitted_at IS NOT NULL "
                "AND NOT is_open")  # fmt: skip
    world.state("UPDATE contact_sync.erasure_part SET sent_at = sent_at - interval '1 hour'")


def traces(world: World, *values: str) -> list[str]:
    """Tables of the state database in which one of the values stands, in any column."""
    with connections.connection(world.state_url) as connection:
        tables = [row[0] for row in connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' "
            "AND relnamespace = 'contact_sync'::regnamespace ORDER BY 1")]  # fmt: skip
        found = []
        for name in tables:
            query = sql.SQL("SELECT coalesce(string_agg(to_jsonb(t)::text, ' '), '') FROM {} AS t")
            text = connection.execute(query.format(sql.Identifier("contact_sync", name))).fetchall()
            found += [f"{name}: {value}" for value in values if value in text[0][0]]
        blocks = connection.execute("SELECT content FROM contact_sync.outbox_block").fetchall()
    for (content,) in blocks:  # compressed, so that their text shows nothing
        shown = str(pa.ipc.open_stream(content).read_all().to_pydict())
        found += [f"outbox_block: {value}" for value in values if value in shown]
    return found


def states(world: World) -> dict[str, str]:
    """Each erasure's id and state."""
    with world.sync() as sync, sync.state.transaction() as cursor:
        return {one.erasure_id: one.state for one in erasures.erasures(cursor)}


def steps(world: World, erasure_id: str) -> list[str]:
    """The record of an erasure, as codes."""
    with world.sync() as sync, sync.state.transaction() as cursor:
        return [str(step.what) for step in erasures.steps_of(cursor, erasure_id)]
