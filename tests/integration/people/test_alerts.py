"""Alerts: when nothing has succeeded for too long, and what happens to one that doesn't arrive."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest

from contact_sync.airflow_edge.notify import send
from contact_sync.config.alerts import Alert, Event
from contact_sync.state.database import StateDatabase
from contact_sync.state.for_people.silence import Silence, silence
from tests.support.receivers import HOST, free_port, receivers
from tests.support.world import World, define

SECRET_PATH = "services/T1/B2/a-secret"
ALERT = Alert(
    Event.RUN_FAILED, "demo", "contact_sync_demo", "run 1", "demo: the run failed",
    "{{ 7 * 7 }} fields are missing", "Start again", "http://localhost/", {},
)  # fmt: skip


def ago(world: World, run_id: int, *, began: float, state: str, holder: str = "DAG run x") -> None:
    """Let a run have begun so many hours ago, and have ended a moment later."""
    world.state(
        """UPDATE contact_sync.run SET started_at = now() - make_interval(mins => (%s * 60)::int),
               finished_at = now() - make_interval(mins => (%s * 60)::int - 1),
               state = %s, holder = %s WHERE run_id = %s""",
        began, began, state, holder, run_id,
    )  # fmt: skip


def seen(world: World, *, queued: float, hours: float = 6) -> Silence:
    """What the alert for a run sees that was queued so many hours ago."""
    queued_at = datetime.now(UTC) - timedelta(hours=queued)
    return silence(StateDatabase(world.state_url), "demo", queued_at, hours)


def test_how_long_nothing_has_succeeded(world: World) -> None:
    """The first run of each span of N hours speaks for all that fail in it; dry runs and runs by
    hand don't."""
    world.add("a@example.com")
    assert seen(world, queued=6) == Silence(None, None, told_before=False)  # nothing ever ran
    ids = [world.run(dry_run=number == 4)["id"] for number in range(5)]
    ago(world, ids[0], began=20, state="succeeded")
    for run_id, began in zip(ids[1:4], (19, 13.5, 6.1), strict=True):
        ago(world, run_id, began=began, state="failed")
    ago(world, ids[4], began=1, state="succeeded")  # the dry run

    found = seen(world, queued=6.1)
    assert found.hours is not None
    assert 19.9 < found.hours < 20
    assert not seen(world, queued=19.01).told_before
    assert seen(world, queued=18).told_before
    assert not seen(world, queued=13.51).told_before, "the next span of six hours"
    assert seen(world, queued=13).told_before
    ago(world, ids[2], began=13.5, state="failed", holder="somebody's command line")
    assert not seen(world, queued=13).told_before

    ago(world, ids[3], began=1, state="succeeded")
    assert (seen(world, queued=6.1).hours or 99) < 1


def test_an_alert_that_does_not_arrive_is_an_error_in_the_log_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a closed port nor a missing connection stops the other way, or gives away the
    webhook's address, which is its password. Nothing of an alert is run as a template."""
    definition = define(alerts={"email": ["ops@brokerage.test"], "webhook_connection": "hook"})
    url = f"http://{HOST}:{free_port()}/{SECRET_PATH}"
    monkeypatch.setenv("AIRFLOW_CONN_HOOK", f'{{"conn_type": "http", "host": "{url}"}}')
    send(definition, ALERT)
    errors = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert [error for error in errors if "e-mail, connection 'smtp_default'" in error]
    assert [error for error in errors if "webhook, connection 'hook'" in error]
    assert "a-secret" not in caplog.text

    with receivers() as got:
        host = f"http://{HOST}:{got.http_port}/{SECRET_PATH}"
        monkeypatch.setenv("AIRFLOW_CONN_HOOK", f'{{"conn_type": "http", "host": "{host}"}}')
        send(definition, ALERT)
        assert [post["cause"] for post in got.posts] == ["{{ 7 * 7 }} fields are missing"]
