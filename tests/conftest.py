"""What all tests share: one PostgreSQL server and one SendGrid emulator for the whole session,
and a fresh world for every test that asks for one.
"""

from __future__ import annotations

import gc
import re
import shutil
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

from contact_sync.base.paths import INCLUDE
from contact_sync.state.migrate import migrate
from local.b2core_demo import create_reader, create_schema
from local.postgres.server import Cluster, memory_folder, temporary_cluster
from local.sendgrid_emulator.process import Emulator, start_emulator
from tests.support import (
    airflow_home,  # sets Airflow's environment before Airflow is imported
    canary,
    connections,
    logs,
)
from tests.support.allowed_calls import forbidden_calls
from tests.support.consents import opt_out_column
from tests.support.databases import Shared, empty, empty_b2core, end_transactions
from tests.support.world import API_KEY, CUSTOM_FIELDS, LIST_NAME, World

READER_PASSWORD = "only for tests"
STATE_ROLE = "contact_sync_state"
STATE_PASSWORD = "only for the tests' state"
STATE_ROLES = INCLUDE / "sql" / "state" / "roles.sql"
STATE = "state_world"
settings.register_profile("long")  # of `make test-long`, see tests/stateful
# A shell starts what runs in the background with SIGINT ignored, and whatever the tests start
# inherits that: what Ctrl-C does couldn't be tested.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Nothing that the modules of tests load is garbage; to search it took as long as to load it.
gc.disable()

UNMEASURED = (
    "tests/emulator/", "tests/local/", "tests/docker/", "tests/mutants/", "tests/stateful/",
    "/test_crash.py", "/test_fault_matrix.py", "_properties.py", "/test_phone_patterns.py",
    "/test_mailboxes.py", "/test_errors_memory.py",
)  # fmt: skip
"""Coverage only slows these down: other code, other processes, or hundreds of cases alike."""

MEASURED = 4
WHOLE = re.compile(
    r"/integration/(erasures|probe)/|/test_(suppress_excluded|suppressed|renamed|undefined|repair|"
    r"shadow|group_unsubscribes|refusals|misleading_refusals|known_account|init_command|proposals|"
    r"contract|dropped_lists)\.py"
)
"""Of how many tests of a file in tests/integration/ coverage is measured, and the files of which of
all, because each of their tests runs code that no other does: to measure it makes a test take 1.4
times the CPU. Should the floor in pyproject.toml not be reached any more: of more."""

LONG = ("tests/stateful/", "/test_benchmark.py", "::test_N01_", "::test_P04_")
"""Begun first: at the suite's end one of them would keep one worker busy, and the others idle."""


TOGETHER = ("tests/dags/", "tests/emulator/", "tests/source/", "/test_source_standby.py")
"""Tests that share what takes seconds of a processor to make (Airflow's tables, a PostgreSQL
server, generated clients): one worker runs them all, or each would make it for a few of them."""


HALVED = (
    "/test_crash.py", "/test_lives.py", "/test_state_statements.py", "/test_histories.py",
    "_one_fault", "/integration/probe/",
)  # fmt: skip
"""Tables of which `make test` tries every second case: each is cheap and kills at another point."""
MORE_OF_THE_SAME = re.compile(
    r"/test_long_life\.py::|::test_N05_a_fail_over_at_any"
    r"|::test_the_suite_runs_the_noticing_test_without_the_mutant"
    r"|::test_P04_.*\[csv\]|::test_N01_the_state_|/test_errors_memory\.py::"
    r"|/test_compose_pages\.py::|/test_benchmark\.py::|/test_rest_call\.py::"
    r"|/test_trigger_form_in_browser\.py::|::test_F13_an_event_only_when_"
    r"|::test_the_cause_is_known_when_the_last_try_|::test_R11_a_dag_run_leaves_a_mark_"
    r"|::test_the_suite_notices\[A contact whose jobs never end"
    r"|-429 x-ratelimit-reset as a date\]|::test_a_trial_of_chosen_clients"
    r"|::test_the_mapping_beside_the_present_file_has_no_barrier\[dark\]"
    r"|/test_pruned_histories\.py::|::test_D16_what_tells_nothing_of_a_contact_is_no_try_"
    r"|::test_a_task_that_is_marked_as_success_leaves_no_green_lie\[(approve_plan|finish_run)\]"
)
"""What only `make test-long` tries: of mutants, tests that are in the suite anyway; what takes long
and differs from what is tried by one part (the other button, the same form in a browser, a call in
the place of a click); cells whose emulated minute isn't that of the answer's Date, which sometimes
matters on a busy machine."""


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop() -> Iterator[None]:
    """From here on garbage is looked for, but not among what was loaded."""
    gc.freeze()
    gc.enable()
    return (yield)


def pytest_itemcollected(item: pytest.Item) -> None:
    """A group of pytest-xdist is run by one worker; those with a real Airflow are one already."""
    if not item.get_closest_marker("xdist_group"):
        for part in TOGETHER:
            if part in item.nodeid:
                item.add_marker(pytest.mark.xdist_group(part.strip("/")))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long; measure no coverage where it tells nothing.

    Of a table of cases in tests/integration/ one is tried, of one among HALVED every second,
    and every sixth mutant; the others are slow: `make test-long` tries them all.
    """
    tables: dict[str, list[pytest.Item]] = {}
    for item in items:
        if MORE_OF_THE_SAME.search(item.nodeid):
            item.add_marker(pytest.mark.slow)
        if any(part in item.nodeid for part in UNMEASURED):
            item.add_marker(pytest.mark.no_cover)
        if not item.get_closest_marker("slow"):
            tables.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for name, cases in tables.items():
        _try_some(cases, _tried(name, len(cases)))
    _measure_some(tables)
    items.sort(key=lambda item: not any(part in item.nodeid for part in LONG))


def _tried(name: str, cases: int) -> Sequence[int]:
    """The places of the cases of a table that are tried."""
    if name.endswith("::test_the_suite_notices"):
        return range(0, cases, 6)
    if any(part in name for part in HALVED):
        return range(0, cases, 2)
    return [sum(name.encode()) % cases] if "tests/integration/" in name else range(cases)


def _measure_some(tables: dict[str, list[pytest.Item]]) -> None:
    """Of the first tests of each file in tests/integration/, one case each."""
    begun = Counter[str]()
    for name, cases in tables.items():
        tried = [item for item in cases if not item.get_closest_marker("slow")]
        file = name.partition("::")[0]
        if "tests/integration/" in file and tried:
            begun[file] += not WHOLE.search(file)
            for item in tried if begun[file] > MEASURED else tried[1:]:
                item.add_marker(pytest.mark.no_cover)


def _try_some(cases: list[pytest.Item], tried: Sequence[int]) -> None:
    for place, item in enumerate(cases):
        if place not in tried:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session", autouse=True)
def _watched() -> Iterator[None]:
    """Every log line and exception of the session is searched for personal data and secrets."""
    with canary.watching():
        yield


@pytest.fixture(autouse=True)
def _nothing_leaks(_watched: None) -> Iterator[None]:
    """The test in which something leaks is the one that fails."""
    logs.drop_closed()
    yield
    assert canary.hits.take() == []


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server of our own."""
    with temporary_cluster(memory_folder()) as running:
        yield running


@pytest.fixture(scope="session")
def emulator_process() -> Iterator[Emulator]:
    """A SendGrid of our own, quick and with the safe reading of empty cells."""
    with start_emulator(
        api_key=API_KEY, empty_cell="keep", delay=0.05, settings={"finish_delay": 0.02}
    ) as running:
        yield running


@pytest.fixture(scope="session")
def b2core_database(cluster: Cluster) -> Shared:
    """B2CORE's database with the roles that the project ships."""
    url = cluster.create_database("b2core_world")

    def make() -> None:
        with psycopg.connect(url) as connection:
            connection.execute("DROP SCHEMA IF EXISTS b2core CASCADE")
        create_schema(url)
        create_reader(url, READER_PASSWORD)

    return Shared(url, "b2core", make)


@pytest.fixture
def source(b2core_database: Shared) -> str:
    """A B2CORE with its lookup values and no client."""
    url = b2core_database.whole()
    empty_b2core(url)
    return url


@pytest.fixture(scope="session")
def state_template(cluster: Cluster) -> str:
    """A migrated state database to copy from, made by the role that the project ships."""
    with psycopg.connect(cluster.create_database("state_template"), autocommit=True) as connection:
        connection.execute(STATE_ROLES.read_bytes())
        connection.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                sql.Identifier(STATE_ROLE), sql.Literal(STATE_PASSWORD)
            )
        )
    migrate(cluster.url("state_template", user=STATE_ROLE, password=STATE_PASSWORD))
    return "state_template"


@pytest.fixture(scope="session")
def state_database(cluster: Cluster, state_template: str) -> Shared:
    """A state database for all tests: to copy it takes longer than many a test."""
    new, old = sql.Identifier(STATE), sql.Identifier(state_template)

    def make() -> None:
        connections.close_all()
        with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(new))
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(new, old))

    return Shared(cluster.url(STATE), "contact_sync", make)


@pytest.fixture
def state_url(cluster: Cluster, state_database: Shared) -> str:
    """An empty state database."""
    end_transactions(cluster.url("postgres"), STATE)
    empty(state_database.whole(), "contact_sync")
    return cluster.url(STATE, user=STATE_ROLE, password=STATE_PASSWORD)


@pytest.fixture
def emulator(emulator_process: Emulator) -> Iterator[Emulator]:
    """An account with custom fields and no contact; afterwards, its calls are checked."""
    emulator_process.admin.reset()
    for name in CUSTOM_FIELDS:
        emulator_process.admin.create_field(name, "Text")
    yield emulator_process
    forbidden = forbidden_calls(emulator_process.admin.calls())
    assert not forbidden, f"The product made forbidden calls: {forbidden}"


@pytest.fixture
def kept(request: pytest.FixtureRequest) -> Iterator[None]:
    """Runs use their database connections again, unless the test is about connections."""
    if request.node.get_closest_marker("own_connections"):
        connections.close_all()
        yield
    else:
        with connections.kept_connections():
            yield


@pytest.fixture
def world(
    source: str, state_url: str, emulator: Emulator, cluster: Cluster, kept: None
) -> Iterator[World]:
    """Everything a sync needs; B2CORE has its lookup values and no client."""
    reader = cluster.url("b2core_world", user="contact_sync_reader", password=READER_PASSWORD)
    list_id = emulator.admin.create_list(LIST_NAME)
    # A mark of another test's state database may say of this one that it has lost erasures.
    shutil.rmtree(airflow_home.HOME / "state", ignore_errors=True)
    made = World(source, reader, state_url, emulator, list_id=list_id)
    yield made
    canary.scan_state(state_url)
    assert made.audit.wrong(made) == []


@pytest.fixture
def consenting(world: World, tmp_path: Path) -> World:
    """A world whose source says who has opted out."""
    world.sql_folder = opt_out_column(world.sql_folder, tmp_path / "b2core")
    return world
