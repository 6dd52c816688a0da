"""What the alerts of a verification say, and when there are none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from contact_sync.airflow_edge import verify_alerts
from contact_sync.airflow_edge.verify_alerts import consent_breach, not_equal, verify_failed
from contact_sync.config.definition import SyncDefinition

CONTEXT = {"run_id": "manual 1", "ti": SimpleNamespace(task_id="compare")}
EQUAL = {"compared": 10, "foreign_on_list": 3}


def define(**verify: Any) -> SyncDefinition:
    """A definition with this block."""
    return SyncDefinition.model_validate(
        {"name": "demo", "caption": "Demo", "list": "Ours", "verify": verify}
    )


def found(monkeypatch: pytest.MonkeyPatch, **counts: int) -> None:
    """The verification has found this."""
    seen = SimpleNamespace(counts=EQUAL | counts)
    monkeypatch.setattr(verify_alerts, "_of", lambda _definition, _context: seen)


@pytest.mark.parametrize("repair", ["none", "report", "contacts"])
def test_V06_a_contact_on_the_list_without_right_is_told_whatever_else(
    monkeypatch: pytest.MonkeyPatch, repair: str
) -> None:
    """With numbers, what to do, and a link to the verification's own run."""
    found(monkeypatch, excluded_on_list=2, former_on_list=1)
    alert = consent_breach(define(repair=repair, unequal_limit=100), CONTEXT)
    assert alert is not None
    assert alert.title == "demo: 3 contacts are on the list without right"
    assert alert.counts == {"excluded_on_list": 2, "former_on_list": 1}
    assert alert.link.endswith("/dags/contact_sync_demo_verify/runs/manual%201")
    assert alert.dag_id == "contact_sync_demo_verify"


@pytest.mark.parametrize(
    ("verify", "different", "told"),
    [({}, 0, False), ({}, 1, True), ({"unequal_limit": 5}, 5, False),
     ({"unequal_limit": 5}, 6, True),
     ({"repair": "none"}, 9, False), ({"repair": "contacts"}, 1, True)],
)  # fmt: skip
def test_an_alert_when_more_than_the_limit_is_not_equal(
    monkeypatch: pytest.MonkeyPatch, verify: dict[str, Any], different: int, *, told: bool
) -> None:
    """Foreign contacts don't count."""
    found(monkeypatch, different=different)
    alert = not_equal(define(**verify), CONTEXT)
    assert (alert is not None) == told
    assert consent_breach(define(**verify), CONTEXT) is None
    if alert is not None:
        assert alert.counts == {"different": different}
        assert "10 contacts compared; the limit is" in alert.cause


def test_a_verification_that_failed_names_its_task() -> None:
    """It has proven nothing."""
    alert = verify_failed(define(), CONTEXT)
    assert alert.cause == "The log of the task compare says why"
    pruning = {**CONTEXT, "ti": SimpleNamespace(task_id="prune")}
    assert "verification isn't concerned" in verify_failed(define(), pruning).cause
