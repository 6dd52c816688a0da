"""Each way in which a run fails before it sends, as Chromium shows it on the run's page and on the
page of all syncs: what to touch, what has been sent, what to do, and what the next run made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from contact_sync.base.errors import SyncError
from contact_sync.base.vocabulary import RunKind
from contact_sync.run import in_one_process
from contact_sync.sendgrid import transport
from contact_sync.sendgrid.retries import retried
from tests.support.rendered import Glance, Show, sum_of
from tests.support.world import World

pytestmark = [pytest.mark.airflow, pytest.mark.usefixtures("no_dags_seen")]
AWAY = "postgresql://reader@127.0.0.1:9/b2core"
ADVICE = (
    "What has been sent Nothing.", "Fix the cause above, unless it passes by itself",
    "Trigger a new run. Nothing has to be cleaned up: it continues from the same state.",
    "There is no schedule: somebody has to start it.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """What goes wrong, named as in docs/failed-run.md, and what the run's page has to say of it."""

    name: str
    breaks: Callable[[World], Any]
    said: tuple[str, ...]
    options: dict[str, Any] | None = None


def redefined(**changes: Any) -> Callable[[World], Any]:
    """The definition says something else."""
    return lambda world: world.redefine(**changes)


def with_field(column: str, name: str = "city") -> Callable[[World], Any]:
    """The mapping has this column for this field."""
    return lambda world: world.redefine(
        fields=world.definition.model_dump(mode="json")["fields"] | {name: {"column": column}}
    )


def sendgrid_says(**what: Any) -> Callable[[World], Any]:
    """Each time that it is asked for the lists."""
    return lambda world: world.emulator.admin.fault("GET", "/v3/marketing/lists", times=9, **what)


CASES = [
    Case("wrong key", lambda _world: None,
         ("GET /v3/scopes: SendGrid answered 401: ", "the API key is wrong, revoked or from "
          "another region. The Airflow connection is 'sendgrid_default'"), {"api_key": "SG.wrong"}),
    Case("missing list", redefined(list="No such list"),
         ("SendGrid has no list 'No such list': create it under Marketing > Contacts, or correct "
          "`list` in the definition",)),
    Case("missing field", with_field("city", "Favourite"),
         ("SendGrid has no field 'Favourite': create it with `python -m contact_sync fields demo "
          "--create`", "or correct its name in the definition")),
    Case("wrong column", with_field("no_such_column"),
         ("clients.sql gives no column 'no_such_column' for field 'city': it gives client_id, ",)),
    Case("B2CORE is away", lambda world: setattr(world, "reader_url", AWAY),
         ("B2CORE's database can't be reached. Nothing listens there: correct the connection's "
          "host and port", "The Airflow connection is 'b2core_default'")),
    Case("SendGrid errs", sendgrid_says(status=503),
         ("GET /v3/marketing/lists: SendGrid answered 503. It passes by itself",)),
    Case("too many requests", sendgrid_says(status=429),
         ("rate limit reached (429). It passes by itself; if it lasts, something else calls the "
          "same account",)),
    Case("no answer in time", sendgrid_says(delay=0.4),
         ("GET /v3/marketing/lists: no answer came in time. It passes by itself",)),
]  # fmt: skip


@contextmanager
def broken(world: World, case: Case) -> Iterator[None]:
    """The world with what goes wrong, and afterwards without it."""
    definition, url = world.definition, world.reader_url
    case.breaks(world)
    yield
    world.definition, world.reader_url = definition, url
    world.emulator.admin.clear_faults()


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No step is tried again after a pause, and no answer is waited for for long."""
    monkeypatch.setattr(in_one_process, "MAX_READS", 1)
    monkeypatch.setattr(transport, "READ_SECONDS", 0.2)
    monkeypatch.setattr(transport, "retried", lambda call, _seconds, tell: retried(call, 0.0, tell))


def test_each_failure_names_what_to_touch_and_says_what_was_sent(
    connected: World, shown: Show, glance: Glance
) -> None:
    """On the run's page and first on the page of all syncs; in words. Then all is well again, and
    each failed run says which run did what it asked for."""
    connected.add("ann@example.com", phone="none")  # a value that is left out
    connected.run()
    connected.add_clients(3)
    failed: list[int] = []
    for number, case in enumerate(CASES):
        with broken(connected, case), pytest.raises(SyncError):
            connected.run(**case.options or {})
        failed.append(run_id := connected.report()["id"])
        look = glance if number else shown  # they have the same parts
        page = look("admin", f"/syncs/demo/runs/{run_id}")
        for part in ("Why it failed:", *ADVICE, *case.said):
            assert part in page, (case.name, part, page)
        assert "left out, cut or rounded" not in page, "it has read nobody"
        assert page.links["Trigger in Airflow"] == "/dags/contact_sync_demo"
        every = glance("admin", "/syncs")
        assert "Demo brokerage failed" in every
        assert case.said[0] in every, (case.name, "what to touch is named there, too")
        assert every.links[f"Run {run_id}"] == f"/syncs/demo/runs/{run_id}"
    run_id = connected.run()["id"]
    assert sum_of(glance("admin", f"/syncs/demo/runs/{run_id}")) == {"to send": 3, "confirmed": 3}
    for former in (failed[0], failed[-1]):
        page = glance("viewer", f"/syncs/demo/runs/{former}")
        assert f"Done: run {run_id} (test) continued from the same state and succeeded" in page
        assert page.links[f"run {run_id}"] == f"/syncs/demo/runs/{run_id}"
    every = glance("admin", "/syncs")
    assert "Demo brokerage healthy" in every
    assert "Confirmed 4 of 4 clients" in every


@pytest.mark.slow
def test_a_statement_that_takes_too_long_says_where_the_limit_is(
    connected: World, shown: Show, glance: Glance
) -> None:
    """B2CORE's table is locked; the next run finds it free."""
    connected.redefine(source={"statement_timeout_seconds": 1})
    connected.add_clients(3)
    with psycopg.connect(connected.b2core_url) as other:
        other.execute("LOCK TABLE b2core.clients")
        with connected.sync() as sync, pytest.raises(SyncError):
            in_one_process.run_sync(sync, RunKind.FULL, holder="test")
    run_id = connected.report()["id"]
    page = shown("admin", f"/syncs/demo/runs/{run_id}")
    late = "(clients.sql) gave up in the middle: it took longer than its statement time-out"
    for part in (late, "`statement_timeout_seconds`", *ADVICE):
        assert part in page, part
    assert "statement time-out" in glance("admin", "/syncs")
    connected.run()
    assert "and succeeded" in glance("admin", f"/syncs/demo/runs/{run_id}")
