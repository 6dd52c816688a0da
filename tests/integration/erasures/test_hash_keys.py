"""The key of the hashes in the state database: applied, changed, lost."""

from __future__ import annotations

import logging
import re
from typing import Any

import numpy as np
import pytest
from psycopg import sql

from contact_sync.base.errors import ConfigError
from contact_sync.base.vocabulary import RunKind
from contact_sync.contacts.hash_keys import Hashing, HashKey, HashKeys
from contact_sync.erasure.transfer import exported, put_back
from contact_sync.run.start_run import start_run
from contact_sync.state import rehashing
from contact_sync.state.rehashing import BY_HASH, IN_PARTS
from tests.support import connections
from tests.support.erased import erase
from tests.support.findings import verified
from tests.support.hash_keys import HASH_KEYS
from tests.support.world import World

ANN, BOB, OLD = "ann@example.com", "bob@example.com", "old@example.com"
KEY, OTHER = HASH_KEYS.current, HashKey("canary-hash-key-of-somebody-else-0123")
BOTH = HashKeys(OTHER, (KEY,))
BUSY = """INSERT INTO contact_sync.sync (name, lease_holder, lease_until)
          VALUES ('other', 'somebody', now() + interval '1 hour')"""
LET_GO = """UPDATE contact_sync.sync SET lease_until = now() - interval '1 hour', epoch = 7
            WHERE name = 'other'"""
MORE = (
    """INSERT INTO contact_sync.suppression
           (sync_id, email, kind, email_hash, first_seen, seen_at)
       VALUES (1, 'a', 'bounce', 11, now(), now()), (1, 'b', 'bounce', 0, now(), now())""",
    "INSERT INTO contact_sync.suppression_due (sync_id, email, email_hash, client_id) "
    "VALUES (1, 'a', 12, 1)",
    "INSERT INTO contact_sync.refused_value (sync_id, client_id, field, value_hash, run_id) "
    "VALUES (1, 1, 'city', 13, 1)",
    """INSERT INTO contact_sync.move (sync_id, client_id, former, former_hash, email, belongings)
       VALUES (1, 9, 'f', 14, 'g', '{}')""",
    """INSERT INTO contact_sync.outbox (run_id, client_id, email, email_hash, payload, row_hash,
           filled, clears, json_only, takes_over, size, person_hash)
       VALUES (1, 9, 'a', 15, '', 16, 0, 0, false, false, 1, NULL),
              (1, 10, 'b', 17, '', 18, 0, 0, false, false, 1, 19)""",
    "UPDATE contact_sync.ledger SET looked_hash = 20, person_hash = 21 WHERE client_id = 2",
)
"""A row in each of the other tables with hashes, which a run needn't understand."""


def hashes(world: World) -> dict[str, list[int | None]]:
    """Every hash of a text, by table and column, in the order of the rows' other columns."""
    with connections.connection(world.state_url) as connection:
        found = {}
        for table, column in connection.execute(
            """SELECT table_name, column_name FROM information_schema.columns
               INNER JOIN information_schema.tables USING (table_schema, table_name)
               WHERE table_schema = 'contact_sync' AND table_type = 'BASE TABLE'
               AND data_type = 'bigint' AND column_name LIKE '%hash'"""
        ).fetchall():
            name = sql.Identifier(column)
            query = sql.SQL("SELECT {} FROM contact_sync.{} ORDER BY ctid")
            rows = connection.execute(query.format(name, sql.Identifier(table))).fetchall()
            found[f"{table}.{column}"] = sorted(row[0] for row in rows if row[0] is not None)
    return found


NOT_REHASHED = {
    "verify_client": "none is under way",
    "verify_contact": "none is under way",
    "verify_unequal": "none is under way",
    "verify_proof": "none is under way",
    "outbox_block": "its contacts are made rows of the outbox first",
    "slice": "its run is fenced off, or was a dry run and ends",
    "run.definition_hash": "of no person",
    "verification.definition_hash": "of no person",
    "verification.export_hash": "of whole files",
    "verification.sendgrid_digest": "of everybody at once",
    "verification.b2core_digest": "of everybody at once",
    "erasure_step.seal": "by the key that it names",
    "tombstone.mac": "by the key that it names",
    "change.before_after": "encrypted, by the key that it names",
    "row_count.counted": "ids and numbers",
}
"""Tables and columns that have hashes, or bytes that may be some, and don't get a new key."""


def by(keys: Hashing, before: dict[str, list[Any]]) -> dict[str, list[int]]:
    """The same by keys."""
    return {
        name: sorted(keys.keyed(np.array(rows, np.int64)).tolist()) for name, rows in before.items()
    }


def begin(world: World) -> int:
    """A run that begins, and does nothing more."""
    with world.sync() as sync:
        return start_run(sync, RunKind.INCREMENTAL, holder="test")


@pytest.fixture
def plain(world: World) -> World:
    """Two clients, one of them with another address than at first; hashes have no key."""
    world.hash_keys = None
    world.redefine(on_address_change="keep")
    ann = world.add(OLD)
    world.add(BOB)
    world.run()
    world.edit(ann, email=ANN)
    world.run()
    return world


def test_E17_every_hash_gets_the_key_and_nothing_is_sent(plain: World) -> None:
    """At once, and again when the key is changed; 0 and NULL stay what they are."""
    for statement in MORE:
        plain.state(statement)
    verified(plain, ("missing", 1, ANN))
    before = hashes(plain)
    assert {name for name, rows in before.items() if not any(rows)} == {
        "erasure_address.email_hash", "verify_client.email_hash", "verify_client.row_hash",
        "verify_contact.email_hash", "verify_contact.row_hash", "verify_proof.email_hash",
        "verify_proof.person_hash", "verify_proof.row_hash",
    }  # fmt: skip
    for keys in (HASH_KEYS, BOTH):
        plain.hash_keys = keys
        begin(plain)
        applied = (KEY,) if keys is HASH_KEYS else (KEY, OTHER)
        assert hashes(plain) == by(Hashing(applied), before)
        assert plain.state("SELECT count(*) FROM contact_sync.removal WHERE "
                           "kept AND email = '#' || email_hash") == [(1,)]  # fmt: skip


def test_E17_every_column_with_a_hash_gets_a_new_key_or_says_why_not(world: World) -> None:
    """By a statement that writes it; a new one fails here until there is one."""
    written = [*BY_HASH, *(write for *_, write in IN_PARTS.values()),
               rehashing.SQL["rehash_tombstones"]]  # fmt: skip
    found = world.state(
        """SELECT c.relname, a.attname FROM pg_class AS c
           JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
           WHERE c.relnamespace = 'contact_sync'::regnamespace AND c.relkind IN ('r', 'p')
           AND (a.attname ~ 'hash|digest|seal|^mac$|^tag$' OR a.atttypid = 'bytea'::regtype
                OR col_description(c.oid, a.attnum) ~* 'hash of')"""
    )
    left = {
        f"{table}.{column}"
        for table, column in found
        if not any(
            f"UPDATE contact_sync.{table} AS" in each and re.search(rf"\b{column} =", each)
            for each in written
        )
    }
    apart = {name for name in left if NOT_REHASHED.keys() & {name, name.partition(".")[0]}}
    assert left - apart == set()
    assert {name for name in NOT_REHASHED if not any(f"{each}.".startswith(f"{name}.")
            for each in left)} == set()  # fmt: skip


def test_E17_a_run_with_a_new_key_finds_everybody_as_they_were(plain: World) -> None:
    """Nobody is sent, or looks moved, because hashes have another key."""
    for keys in (HASH_KEYS, BOTH):
        calls = len(plain.writes())
        plain.hash_keys = keys
        report = plain.run("full")
        assert (report["counts"]["unchanged"], len(plain.writes())) == (2, calls)


def test_E17_nobody_who_was_erased_before_comes_back_with_the_new_key(plain: World) -> None:
    """Erased while hashes had no key, which others at work kept them from getting; then with one
    key, then with two; and from a file of before."""
    plain.state(BUSY)
    plain.hash_keys = HASH_KEYS
    erase(plain, email=ANN, also=[OLD])
    with plain.sync() as sync, sync.state.transaction() as cursor:
        assert sync.hashing().keys == ()
        file = exported(cursor, KEY)
    plain.state(LET_GO)
    for keys in (HASH_KEYS, BOTH):
        plain.hash_keys = keys
        plain.add(ANN.upper())
        plain.edit(1, email=f"quite.another.{len(keys.former)}@example.com")
        plain.run("resend")
        assert plain.contacts().keys() == {BOB}
    for table in ("tombstone", "erasure_step", "erasure"):
        plain.state(f"DELETE FROM contact_sync.{table}")
    with plain.sync() as sync:
        assert put_back(sync, file) == 1
    plain.run("resend")
    assert plain.contacts().keys() == {BOB}


def test_E17_while_others_are_at_work_hashes_stay_as_they_are(
    plain: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The run goes on without the key and says so; whoever only seems to be at work is fenced."""
    plain.state(BUSY)
    plain.hash_keys = HASH_KEYS
    with caplog.at_level(logging.WARNING):
        assert plain.run()["state"] == "succeeded"
    assert "other syncs or a verification are at work" in caplog.text
    plain.state(LET_GO)
    begin(plain)
    with plain.sync() as sync:
        assert sync.hashing() == Hashing((KEY,))
    assert plain.state("SELECT epoch FROM contact_sync.sync WHERE name = 'other'") == [(8,)]


def test_E12_without_the_key_of_the_hashes_no_run_sends(plain: World) -> None:
    """Nobody would be known again: neither without one, nor with another, nor without the first."""
    plain.hash_keys = BOTH
    plain.run()
    calls = len(plain.writes())
    for keys, said in (
        (None, f"made with the hash key {OTHER.key_id}, and none is configured"),
        (HashKeys(OTHER), f"The hash key {KEY.key_id}"),
        (HASH_KEYS, f"The hash key {OTHER.key_id}"),
    ):
        plain.hash_keys = keys
        for options in ({}, {"dry_run": True}):
            with pytest.raises(ConfigError, match=said):
                plain.run("resend", **options)
    assert len(plain.writes()) == calls
