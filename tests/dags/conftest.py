"""Airflow's own database for `dag.test()`, and the connections of the sync."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.models.variable import Variable
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from jsonschema import Draft202012Validator
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import delete

from contact_sync.web import syncs_page
from local.browser.chromium import browser_page, chromium, log_in
from local.demo.sync import DAG_ID
from local.stack.system import Stack
from tests.support import canary
from tests.support.airflow_home import HOME, ROOT
from tests.support.monitored import FOLLOWER, WATCHED, connect_alerts, deployment, settings
from tests.support.receivers import Receivers, receivers
from tests.support.rendered import Eyes, Glance, Show, Shown, served, token_of
from tests.support.stacks import CLIENTS, lives, processes_of, run
from tests.support.world import World


@pytest.fixture(scope="session", autouse=True)
def _schemas_checked_once() -> Iterator[None]:
    """A schema that was found valid isn't checked again: Airflow checks the one of a DAG's
    parameter whenever it reads its value, 600 times in a `dag.test()`, a third of what that takes.
    """
    check, valid = Draft202012Validator.check_schema, set[str]()

    def checked(schema: Any, **options: Any) -> None:
        text = json.dumps(schema, sort_keys=True)
        if text not in valid:
            check(schema, **options)
            valid.add(text)

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(Draft202012Validator, "check_schema", checked)
        yield


@pytest.fixture(scope="session")
def dagbag() -> DagBag:
    """All DAGs of the repository."""
    return DagBag(str(ROOT / "dags"))


@pytest.fixture(scope="session")
def airflow_database(dagbag: DagBag) -> None:
    """Airflow's tables in SQLite; `dag.test()` needs no scheduler, and the pool of the DAG."""
    from airflow.models.pool import Pool

    initdb()
    Pool.create_or_update_pool(
        "sendgrid", slots=4, description="Calls to SendGrid", include_deferred=False
    )


@pytest.fixture
def connected(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    airflow_database: None,
) -> Iterator[World]:
    """The world, reachable through the Airflow connections that the demo's definition names.

    Afterwards Airflow's whole database and its log files are searched for personal data: XCom,
    rendered fields, serialized DAGs, conf, logs.
    """
    monkeypatch.setattr("contact_sync.airflow_edge.triggers.POLL_SECONDS", 0.2)
    monkeypatch.setattr("contact_sync.run.send_batch.LOOK_SECONDS", 0.2)
    world.connect_airflow(monkeypatch)
    with create_session() as session:  # marks of another test's state database, as in `world`
        session.execute(delete(Variable).where(Variable.key.startswith("contact_sync_mark_")))
    yield world
    assert canary.scan_files(HOME) > 0


@pytest.fixture(scope="session")
def eyes() -> Iterator[Eyes]:
    """One Chromium for all tests that only read pages."""
    opened = Eyes()
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def pages_url(airflow_database: None) -> Iterator[str]:
    """The pages, without the rest of Airflow."""
    with served() as url:
        yield url


@pytest.fixture
def shown(eyes: Eyes, pages_url: str) -> Show:
    """What a page shows to a role, without findings; see `Eyes.read`."""

    def read(role: str, path: str, status: int = 200) -> Shown:
        return eyes.read(pages_url, token_of(role), path, status)

    return read


@pytest.fixture
def glance(eyes: Eyes, pages_url: str) -> Glance:
    """What a page shows to a role, whose parts were looked at before; see `Eyes.glance`."""

    def read(role: str, path: str, status: int = 200) -> Shown:
        return eyes.glance(pages_url, token_of(role), path, status)

    return read


@pytest.fixture
def no_dags_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page of all syncs finds no DAG in Airflow's tables: those that other tests have put
    there are paused, or not, by chance."""
    monkeypatch.setattr(syncs_page, "seen_dags", lambda _ids: {})


@pytest.fixture(scope="session")
def got() -> Iterator[Receivers]:
    """What has left Airflow for people and programs."""
    with receivers() as listening:
        yield listening


@pytest.fixture(scope="session")
def lineage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of OpenLineage's events."""
    return tmp_path_factory.mktemp("lineage") / "events.jsonl"


the_stack = ExitStack()
"""Ends the shared stack, which costs a third of a core while it stands idle."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests with the stack come first and together."""
    items.sort(key=lambda item: not needs_stack(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """After the last test with the stack, end it."""
    yield
    if needs_stack(item) and (nextitem is None or not needs_stack(nextitem)):
        the_stack.close()


def needs_stack(item: pytest.Item) -> bool:
    """Whether a test has the mark `xdist_group("airflow")`: one worker runs them all."""
    mark = item.get_closest_marker("xdist_group")
    return mark is not None and mark.args == ("airflow",)


@pytest.fixture(scope="session")
def stack(got: Receivers, lineage: Path, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """A running system with the first load done, until the last test that needs it has ended."""
    folder = tmp_path_factory.mktemp("deployment")
    return the_stack.enter_context(running_stack(got, lineage, folder))


@contextmanager
def running_stack(got: Receivers, lineage: Path, folder: Path) -> Iterator[Stack]:
    """Start it; none of its processes may outlive it."""
    before = set(psutil.Process().children(recursive=True))  # other fixtures' servers
    with Stack.start(
        name="test",
        clients=CLIENTS,
        say=print,
        deployment=deployment(folder),
        more_settings=settings(got, lineage),
    ) as running:
        connect_alerts(running.airflow.api, got)
        for dag_id in (DAG_ID, FOLLOWER, WATCHED):
            running.wait_for_dag(dag_id)
            running.unpause(dag_id)
        run(running, {"mode": "full", "reason": "first load"})
        yield running
        processes = set(processes_of(running)) - before
        assert len(processes) > 10, "the list of processes is itself wrong"
    assert [process for process in processes if lives(process)] == []


@pytest.fixture
def page(stack: Stack) -> Iterator[Page]:
    """A page of Chromium, logged in to the stack's Airflow as its administrator."""
    with browser_page() as page:
        log_in(page, stack.url)
        yield page


@pytest.fixture(scope="module")
def browser(stack: Stack) -> Iterator[Browser]:
    """One Chromium for all tests of a file that visits as several people."""
    with sync_playwright() as playwright:
        program = chromium(playwright)
        launched = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield launched
        launched.close()
