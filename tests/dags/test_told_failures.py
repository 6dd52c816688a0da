"""Each way in which a run fails, as its page and the page of all syncs tell it: what to touch, what
has been sent, what to do. The runs are real; the pages are asked over HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from contact_sync.base.errors import SyncError
from contact_sync.run import in_one_process
from contact_sync.sendgrid import transport
from contact_sync.sendgrid.retries import retried
from tests.dags.test_no_raw_codes import raw, read_by_people
from tests.dags.test_pages import text
from tests.support.world import World

pytestmark = [pytest.mark.airflow, pytest.mark.usefixtures("no_dags_seen")]
AWAY = "postgresql://reader@127.0.0.1:9/b2core"


@dataclass(frozen=True, slots=True)
class Case:
    """What goes wrong, and what the run's page has to say of it."""

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


CASES = [
    Case("wrong key", lambda _world: None,
         ("401", "the API key is wrong", "connection is 'sendgrid_default'"),
         {"api_key": "SG.wrong"}),
    Case("missing list", redefined(list="No such list"),
         ("SendGrid has no list 'No such list'", "create it under Marketing > Contacts")),
    Case("missing field", with_field("city", "Favourite"),
         ("SendGrid has no field 'Favourite'", "fields demo --create")),
    Case("wrong column", with_field("no_such_column"),
         ("no_such_column", "clients.sql")),
    Case("B2CORE is away", lambda world: setattr(world, "reader_url", AWAY),
         ("B2CORE's database can't be reached", "host and port", "connection is 'b2core_default'")),
    Case("SendGrid errs at each call", lambda world: world.emulator.admin.fault(
        "GET", "/v3/marketing/lists", status=503, times=50), ("SendGrid", "503")),
    Case("too many requests", lambda world: world.emulator.admin.fault(
        "GET", "/v3/marketing/lists", status=429, times=50), ("429",)),
    Case("whole job failed", lambda world: world.emulator.admin.settings(
        poison_emails=[f"client{n}@example.com" for n in range(1, 7)]),
         ("the plan's contact limit", "The import jobs of batches ", "confirmed 0")),
]  # fmt: skip


@contextmanager
def broken(world: World, case: Case) -> Iterator[None]:
    """The world with what goes wrong, and afterwards without it."""
    definition, url = world.definition, world.reader_url
    case.breaks(world)
    yield
    world.definition, world.reader_url = definition, url
    world.emulator.admin.clear_faults()
    world.emulator.admin.settings(poison_emails=[])


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No step is tried again after a pause."""
    monkeypatch.setattr(in_one_process, "MAX_READS", 1)
    monkeypatch.setattr(in_one_process, "MAX_SUBMITS", 1)
    monkeypatch.setattr(transport, "retried", lambda call, _seconds, tell: retried(call, 0.0, tell))


def test_each_failure_names_what_to_touch_and_says_what_was_sent(
    connected: World, at_once: None
) -> None:
    """On the run's page and first on the page of all syncs; in words. Then all is well again."""
    connected.add_clients(3)
    for case in CASES:
        with broken(connected, case), pytest.raises(SyncError) as failed:
            connected.run(**case.options or {})
        run_id = connected.report()["id"]
        page = read_by_people(text("admin", f"/syncs/demo/runs/{run_id}"))
        for part in ("Why it failed:", "What to do next", "What has been sent", *case.said):
            assert part in page, (case.name, part, page[:1500])
        assert raw(page) == [], case.name
        first = str(failed.value).splitlines()[0]
        everything = read_by_people(text("admin", "/syncs"))
        assert first in everything, case.name
        assert "failed" in everything
    connected.run()
    assert "healthy" in read_by_people(text("admin", "/syncs"))
