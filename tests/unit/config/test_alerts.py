"""Alerts: whom a definition tells of what, and the words."""

from __future__ import annotations

import pytest

from contact_sync.base.errors import ConfigError
from contact_sync.config.alerts import Alert, Alerts, Event, rose_above
from contact_sync.config.parse import parse_definition

HEAD = "name: demo\ncaption: Demo\n"


def alerts(text: str) -> Alerts:
    """The alerts of a definition that says this below `alerts`."""
    return parse_definition(f"{HEAD}alerts: {text}", "demo.yaml").alerts


def test_nothing_configured_tells_nobody() -> None:
    """No receiver is the default."""
    assert parse_definition(HEAD, "demo.yaml").alerts.events == set()


def test_a_receiver_alone_is_told_of_failures_and_waiting_approvals() -> None:
    """The other three need a number."""
    always = {
        Event.RUN_FAILED, Event.APPROVAL, Event.EXCLUSIONS, Event.STATE_UNPROVEN,
        Event.UNEQUAL, Event.CONSENT_BREACH, Event.VERIFY_FAILED, Event.ERASURE_LATE,
    }  # fmt: skip
    assert alerts("{webhook_connection: hook}").events == always
    assert alerts("{email: [ops@example.com], rejected_limit: 0}").events == always | {
        Event.REJECTIONS
    }
    assert alerts("{email: [ops@example.com], dropped_limit: 0}").events == always | {Event.DROPPED}
    assert alerts("{email: [ops@example.com], no_success_hours: 1}").events == always | {
        Event.NO_SUCCESS
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{rejected_limit: 5}", "no one would be told: add `email` or `webhook_connection`"),
        ("{dropped_limit: 5}", "no one would be told: add `email` or `webhook_connection`"),
        ("{email: [ops@example.com], dropped_limit: -1}", "alerts.dropped_limit"),
        ("{email: [ops]}", "alerts.email.0"),
        ("{email: ['a@b, c@d']}", "alerts.email.0"),
        ("{webhook_connection: 'https://hooks.example.com'}", "alerts.webhook_connection"),
        ("{webhook_connection: hook, no_success_hours: 0}", "alerts.no_success_hours"),
    ],
)
def test_alerts_that_nobody_would_get_are_refused(text: str, said: str) -> None:
    """When the DAG file is read, not when something is wrong at night."""
    with pytest.raises(ConfigError, match=said.replace("(", r"\(")):
        alerts(text)


def test_the_words_of_an_alert() -> None:
    """The webhook has `text` and every part; the e-mail is HTML in which nothing is a tag."""
    alert = Alert(
        Event.RUN_FAILED, "demo", "contact_sync_demo", "run 1", "demo: the run failed",
        "No field <b>'A & B'</b>: create it", "Start again", "http://a/b?c=1&d=2", {"to_send": 3},
    )  # fmt: skip
    payload = alert.payload()
    assert payload["text"].splitlines() == [alert.title, alert.cause, alert.fix, alert.link]
    assert (payload["event"], payload["counts"]) == ("run_failed", {"to_send": 3})
    assert "No field &lt;b&gt;&#x27;A &amp; B&#x27;&lt;/b&gt;" in alert.html()
    assert "<a href='http://a/b?c=1&amp;d=2'>" in alert.html()
    assert "<tr><td>to send</td>" in alert.html()


@pytest.mark.parametrize(
    ("limit", "rejected", "before", "told"),
    [(None, 9, 0, False), (5, 5, 0, False), (5, 6, 5, True), (5, 6, 6, False), (5, 7, 6, True)],
)
def test_rejections_are_told_when_they_grow_above_the_limit(
    limit: int | None, rejected: int, before: int, told: bool
) -> None:
    """Not again with every run: what is known is known."""
    assert rose_above(limit, rejected, before) is told
