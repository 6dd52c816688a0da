"""The checklist of `validate --connect` runs to its end, and says what is wrong with a fix."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple
from urllib.parse import urlsplit

import psycopg
import pytest

from contact_sync.b2core.reader import B2Core
from contact_sync.base.findings import Area, Finding, Judgement
from contact_sync.run.checklist import Setup, checklist
from contact_sync.sendgrid.api import SendGridApi
from contact_sync.state.database import StateDatabase
from contact_sync.sync import no_hash_keys
from local.postgres.server import Cluster
from tests.support.hash_keys import HASH_KEYS
from tests.support.source_faults import replace_in
from tests.support.world import API_KEY, JSON_TYPE, LIST_NAME, World

pytestmark = pytest.mark.own_connections

OTHER = "DROP ROLE IF EXISTS other; CREATE ROLE other LOGIN PASSWORD 'other'"
USAGE = "GRANT USAGE ON SCHEMA contact_sync TO other"
READS = f"{OTHER}; {USAGE}; GRANT SELECT ON ALL TABLES IN SCHEMA contact_sync TO other"
DROPPED = "DROP OWNED BY other; DROP ROLE other"
READ_ONLY = "ALTER ROLE contact_sync_state SET default_transaction_read_only = on"
WRITES_AGAIN = "ALTER ROLE contact_sync_state RESET default_transaction_read_only"
VIEW = """CREATE VIEW b2core.seen_phones AS SELECT * FROM b2core.client_phones;
          GRANT SELECT ON b2core.seen_phones TO contact_sync_reader"""
CONTROL = "pg_control_system()"


class Case(NamedTuple):
    """Statements that break something as an administrator and mend it again, with what is done to
    the world between them, and what is said of it."""

    said: tuple[Area, str, Judgement, str]
    fix: str
    state: tuple[str, str] = ("SELECT", "SELECT")
    source: tuple[str, str] = ("SELECT", "SELECT")
    change: Callable[[World, Cluster], object] = lambda _world, _cluster: None


def as_role(role: str | None) -> Callable[[World, Cluster], object]:
    """Let the world's state connection have another login; None = the superuser's."""

    def change(world: World, cluster: Cluster) -> None:
        world.state_url = cluster.url(urlsplit(world.state_url).path[1:], user=role, password=role)

    return change


def text(name: str, old: str, new: str) -> Callable[[World, Cluster], object]:
    """Change a statement."""
    return lambda world, _cluster: replace_in(world, name, old, new)


STATE, B2CORE, WRONG, WARNING = Area.STATE, Area.B2CORE, Judgement.WRONG, Judgement.WARNING
CASES = [
    Case((STATE, "role", WRONG, "other may not write"), "roles.sql", (READS, DROPPED),
         change=as_role("other")),
    Case((STATE, "role", WRONG, "other may not write it"), "roles.sql", (OTHER, DROPPED),
         change=as_role("other")),
    Case((STATE, "role", WARNING, "postgres is a superuser"), "roles.sql", change=as_role(None)),
    Case((STATE, "role", WRONG, "written: default_transaction_read_only is on"), "reset that",
         (READ_ONLY, WRITES_AGAIN)),
    Case((B2CORE, "changed_xmin.sql", WRONG, "phones.xmin does not exist"),
         "change_detection: updated_at", source=(VIEW, "DROP VIEW b2core.seen_phones"),
         change=text("changed_xmin.sql", "b2core.client_phones", "b2core.seen_phones")),
    Case((B2CORE, "functions", WARNING, f"the server refuses {CONTROL}"), "GRANT EXECUTE",
         source=(f"REVOKE EXECUTE ON FUNCTION {CONTROL} FROM PUBLIC",
                 f"GRANT EXECUTE ON FUNCTION {CONTROL} TO PUBLIC")),
    Case((B2CORE, "clients.sql", WRONG, "(42501)"), "include/sql/b2core/roles.sql",
         source=("REVOKE SELECT (last_name) ON b2core.clients FROM contact_sync_reader",
                 "GRANT SELECT (last_name) ON b2core.clients TO contact_sync_reader")),
    Case((B2CORE, "clients.sql", WRONG, "placeholder %(x)s, which nothing fills"), "",
         change=text("clients.sql", "FROM b2core.clients AS clients",
                     "FROM b2core.clients AS clients -- %(x)s")),
    Case((B2CORE, "scan.sql", WRONG, "ends with a semicolon"), "",
         change=text("scan.sql", "FROM b2core.clients AS clients",
                     "FROM b2core.clients AS clients;")),
    Case((B2CORE, "scan.sql", WRONG, "(0A000): FOR UPDATE is not allowed"), "",
         change=text("scan.sql", "FROM b2core.clients AS clients",
                     "FROM b2core.clients AS clients GROUP BY clients.id FOR UPDATE")),
    Case((B2CORE, "scan.sql", WRONG, "as bigint, not integer"), "",
         change=text("scan.sql", "clients.id::bigint", "clients.id::int")),
    Case((B2CORE, "clients.sql", WRONG, "division by zero"), "",
         change=text("clients.sql", "clients.last_name::text",
                     "(1 / (clients.id - clients.id))::text")),
    Case((Area.SENDGRID, "key", WARNING, "no scope suppression.*: clients with a new address are"),
         "Suppressions: Full Access", change=lambda world, _: world.emulator.admin.fault(
             "GET", "/v3/scopes", status=200, body='{"scopes": ["marketing.read"]}',
             headers={"content-type": JSON_TYPE})),
    Case((Area.STATE, "hash key", WARNING, "can find out addresses"), "token_hex",
         change=lambda world, _: setattr(world, "hash_keys", None)),
    Case((Area.STATE, "hash key", WRONG, "The hash key lost"), "",
         state=("INSERT INTO contact_sync.hash_key VALUES (1, 'lost')",
                "DELETE FROM contact_sync.hash_key")),
    Case((Area.SENDGRID, "list", WRONG, "SendGrid has no list"), "",
         change=lambda world, _: world.redefine(list="Nobody's list")),
    Case((Area.DEFINITION, "fields", WRONG, "fields demo --create"), "",
         change=lambda world, _: world.recreate_field("Status", None)),
]  # fmt: skip


def findings(world: World) -> list[Finding]:
    """All that is said."""
    limit = world.definition.source.statement_timeout_seconds
    return list(checklist(Setup(
        world.definition, [],
        partial(StateDatabase, world.state_url, "contact_sync_state"),
        partial(B2Core, world.reader_url, world.sql_folder, limit),
        partial(SendGridApi, world.emulator.base_url, API_KEY),
        lambda: world.hash_keys or no_hash_keys(),
    )))  # fmt: skip


@contextmanager
def broken(case: Case, world: World, cluster: Cluster) -> Iterator[None]:
    """The world with what is wrong in this case, and right again afterwards."""
    kept = shutil.copytree(world.sql_folder, world.sql_folder.parent / "kept")
    state_url = world.state_url
    state = cluster.url(urlsplit(world.state_url).path[1:])
    with (
        psycopg.connect(state, autocommit=True) as of_state,
        psycopg.connect(world.b2core_url, autocommit=True) as of_source,
    ):
        of_state.execute(case.state[0].encode())
        of_source.execute(case.source[0].encode())
        try:
            case.change(world, cluster)
            yield
        finally:
            of_state.execute(case.state[1].encode())
            of_source.execute(case.source[1].encode())
            world.state_url, world.hash_keys = state_url, HASH_KEYS
            world.redefine(list=LIST_NAME)
            shutil.rmtree(world.sql_folder)
            kept.rename(world.sql_folder)


def test_each_fault_is_said_with_its_fix_and_hides_nothing_else(
    own_sql: World, cluster: Cluster
) -> None:
    """One fault at a time: it alone is wrong, and all areas are looked at all the same."""
    own_sql.seed()
    assert {f.judgement for f in findings(own_sql)} == {Judgement.OK}
    for case in CASES:
        area, subject, judgement, words = case.said
        with broken(case, own_sql, cluster):
            found = findings(own_sql)
        (said,) = (f for f in found if f.judgement in (WRONG, WARNING))
        assert (said.area, said.subject, said.judgement) == (area, subject, judgement), said
        assert words in said.text
        assert case.fix in said.fix
        assert {f.area for f in found} >= {Area.STATE, Area.B2CORE, Area.SENDGRID, Area.DEFINITION}


def test_a_run_says_the_same_before_it_reads_a_client(own_sql: World) -> None:
    """One walk for both: several statements and the list at once, each with its fix."""
    own_sql.seed()
    replace_in(own_sql, "scan.sql", "clients.id::bigint", "clients.id::int")
    replace_in(own_sql, "changed_xmin.sql", "phones.xmin", "phones.xmax1")
    own_sql.redefine(list="Nobody's list")
    wrong = [f.text for f in findings(own_sql) if f.judgement is WRONG]
    assert len(wrong) == 3
    with pytest.raises(Exception, match="can't run; nothing was read or sent") as raised:
        own_sql.run()
    assert all(text in str(raised.value) for text in wrong)
