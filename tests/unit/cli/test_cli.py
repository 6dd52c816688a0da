"""The command line without any server, and the report it prints."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from contact_sync.cli.main import main
from contact_sync.config.definition import json_schema
from contact_sync.config.files import Definitions
from contact_sync.reporting.run_report import run_report, text_report
from contact_sync.reporting.sending import JobSum
from tests.support.samples import shown_run


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["run"],
        ["run", "demo", "--mode", "half"],
        ["status", "demo", "--limit", "-1"],
        ["migrate", "--json"],
        ["init"],
        ["init", "Not a name"],
        ["check-sql", "demo", "--sample", "0"],
    ],
)
def test_wrong_usage_is_2(arguments: list[str]) -> None:
    """With the usage on standard error."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_schema_prints_the_json_schema(capsys: pytest.CaptureFixture[str]) -> None:
    """For editors."""
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json_schema()


def test_validate_without_connections(capsys: pytest.CaptureFixture[str]) -> None:
    """All files, one, or one that isn't there."""
    assert main(["validate"]) == 0
    assert "demo: definition is right" in capsys.readouterr().out
    assert main(["validate", "west"]) == 1
    assert "there is no sync 'west'" in capsys.readouterr().err


def test_a_broken_definition_is_in_the_document_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that reads only that would call everything right."""
    found = Definitions(broken={"west.yaml": "west.yaml: name: is missing; add it"})
    monkeypatch.setattr("contact_sync.cli.validate.read_definitions", lambda: found)
    assert main(["validate", "--json"]) == 1
    (entry,) = json.loads(capsys.readouterr().out)
    assert (entry["sync"], entry["right"]) == (None, False)
    assert entry["findings"][0]["text"] == found.broken["west.yaml"]


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        (
            ["explain", "demo", "--email", "a\udcff@example.com"],
            2,
            "an argument is no text in UTF-8",
        ),
        (["plan", "demo", "--mode", "all"], 2, "choose from 'incremental', 'full', 'resend'"),
        (["init", "north_verify"], 2, "ends in _verify"),
        (["rename", "demo", "demo"], 1, "Both names are 'demo': nothing was renamed"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_can_not_be_meant_is_told_at_once(
    typed: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is connected, asked or done."""
    try:
        ended: object = main(typed)
    except SystemExit as error:
        ended = error.code
    assert ended == code
    assert said in capsys.readouterr().err


def test_a_missing_connection_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its id, with where to add it."""
    for name in ("B2CORE_DEFAULT", "SENDGRID_DEFAULT", "CONTACT_SYNC_STATE"):
        monkeypatch.delenv(f"AIRFLOW_CONN_{name}", raising=False)
    assert main(["run", "demo"]) == 1
    said = capsys.readouterr().err
    assert "error: Sync 'demo'" in said
    assert "b2core_default" in said
    assert "Admin > Connections" in said


@pytest.mark.parametrize("verbose", [[], ["-v"]])
def test_G10_H4_an_unforeseen_error_is_told_without_its_text(
    verbose: list[str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback either: its last line is the text, and libraries put rows into that."""

    def fail(_name: str) -> Any:
        raise ValueError("ann@example.com is odd")

    monkeypatch.setattr("contact_sync.cli.commands._open", fail)
    assert main([*verbose, "status", "demo"]) == 1
    said = "".join(capfd.readouterr())
    assert said.startswith("error: Unforeseen ValueError (its text is withheld")
    assert "test_cli.py" in said
    for part in ("ann@example.com", "Traceback", "is odd"):
        assert part not in said


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_command_with_its_exit_code(
    number: signal.Signals,
    code: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In words; and whoever called gets its own handler back."""
    monkeypatch.setattr("contact_sync.cli.commands._open", lambda *_: signal.raise_signal(number))
    before = signal.getsignal(signal.SIGTERM)
    assert main(["status", "demo"]) == code
    assert f"error: Stopped by {number.name}." in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is before


ROW: dict[str, Any] = {
    "id": 5, "kind": "full", "kind_reason": "first_load", "kind_detail": None, "dry_run": False,
    "state": "succeeded",
    "reason": "moving house", "cause": None, "started_at": None, "finished_at": None,
    "seconds": 12.345,
    "plan": {"counts": {"read": 4, "rejected": 1, "to_send": 3},
             "rejections": {"email: invalid": 1}},
    "result": {
        "books": {"selected": 4}, "refused": {"contact: refused_by_sendgrid: bad": 2},
        "jobs": [
            {"batch_id": 1, "lane": "csv", "rows": 3, "state": "settled", "job_id": "j1",
             "status": "errored", "outcome": "applied",
             "numbers": {"confirmed": 1, "rejected": 2}, "seconds": 1.25},
            {"batch_id": 2, "lane": "delete", "rows": 1, "state": "settled", "job_id": None,
             "status": None, "outcome": "nothing_there", "seconds": None},
        ],
    },
    "approval": None,
}  # fmt: skip

KEYS = [
    "id", "kind", "kind_reason", "kind_detail", "look", "look_why", "look_detail", "dry_run",
    "state", "reason", "cause", "ended_by", "ended_why", "ended", "started_at", "finished_at",
    "seconds", "report_gone_at", "counts", "sending", "degraded", "is_degraded",
    "approval", "above_limits", "books",
    "rejections", "exclusions", "dropped", "dropped_now", "dropped_new", "stale", "warned",
    "compared", "changed_fields", "jobs",
]  # fmt: skip
"""What `status --json` says of a run: others read it, so a key stays."""
ABOVE = {"limit": "removals", "n": 8, "allowed": 5}
SAID = "8 contacts would be removed, the limit is 5"


def test_the_report_adds_what_sendgrid_refused() -> None:
    """Rejections of both sides, sent and removed contacts."""
    sums = (JobSum("csv", "settled", "errored", "applied", planned=True, jobs=1, rows=3,
                   confirmed=1, rejected=2, errored=2),)  # fmt: skip
    report = run_report(shown_run(**ROW, job_sums=sums))
    assert report.counts == {
        "read": 4, "to_send": 3, "rejected": 3, "sent": 1, "removed": 1, "unlisted": 0,
    }  # fmt: skip
    assert "3 to send = 1 confirmed + 2 rejected by SendGrid + 0 pending" in text_report(report)
    assert report.rejections == {"email: invalid": 1, "contact: refused_by_sendgrid: bad": 2}


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (None, None),
        ({"why": [ABOVE], "decision": None}, {"why": [SAID], "decision": None}),
        (
            {"why": [ABOVE], "decision": "refused", "by": "ann"},
            {"why": [SAID], "decision": "refused", "by": "ann"},
        ),
        ({"decision": "approved", "by": "ann"}, {"decision": "approved", "by": "ann"}),
    ],
)
def test_the_report_for_machines_has_the_same_keys_for_every_run(
    stored: dict[str, Any] | None, shown: dict[str, Any] | None
) -> None:
    """Those of one that hasn't begun to read, too; an approval is as it is stored, in words."""
    row = ROW | {"approval": stored}
    found = json.loads(json.dumps(run_report(shown_run(**row)).to_json()))
    assert found["approval"] == shown
    first, second = found["jobs"]
    assert first == ROW["result"]["jobs"][0]
    assert second == ROW["result"]["jobs"][1] | {"numbers": None}
    early = run_report(shown_run(**row | {"plan": None, "result": None})).to_json()
    assert list(early) == list(found) == KEYS
    assert (early["jobs"], early["dropped_now"], early["degraded"]) == ([], None, [])


def test_the_report_for_people() -> None:
    """Every number and reason is there."""
    text = text_report(run_report(shown_run(**ROW)))
    for part in (
        "Run 5: full, succeeded in 12.3 s", "first load", "moving house",
        "rejected: 1 x email: not valid",
        "rejected: 2 x contact: SendGrid refused it: bad",
        "job j1 import (CSV)", "1 confirmed, 2 rejected, 1.2 s", "nothing there",
    ):  # fmt: skip
        assert part in text


def test_a_run_that_failed_early_has_a_report_too() -> None:
    """Without a plan and a result."""
    row = ROW | {"plan": None, "result": None, "state": "failed", "cause": "no such list"}
    assert "cause       no such list" in text_report(run_report(shown_run(**row)))
