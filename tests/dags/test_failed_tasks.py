"""The end of a failed task's log: what happened, what was sent, what comes of it, what to do."""

from __future__ import annotations

import pytest
import structlog
from airflow.sdk.exceptions import AirflowFailException

from contact_sync.airflow_edge import failures, tasks
from contact_sync.base.errors import ConfigError, RetryableError, Unforeseen
from contact_sync.base.vocabulary import RunKind
from contact_sync.config.files import read_definition
from contact_sync.run.start_run import start_run
from tests.support.world import World

pytestmark = pytest.mark.airflow
ROW = "ann@example.com is odd"


def at_work(monkeypatch: pytest.MonkeyPatch, tries: int, dag_id: str = "contact_sync_demo") -> None:
    """Be the task at its try number `tries` of 4."""
    ids = {"dag_id": dag_id, "try_number": tries, "max_tries": 3}
    context = {"ti": type("TaskInstance", (), ids)}
    monkeypatch.setattr(failures, "get_current_context", lambda: context)


def test_the_parts_say_what_comes_of_it_while_tries_are_left_and_after(
    connected: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A retryable error at the first try, then at the last one, of a run that has sent."""
    connected.definition = read_definition("demo")
    connected.seed()
    run_id = connected.run("full")["id"]
    for tries, said in ((1, "so far 1 of 4 tries"), (4, "What to do: Trigger a new run: http")):
        at_work(monkeypatch, tries)
        caplog.clear()
        with pytest.raises(RetryableError), tasks.translated("demo", run_id):
            raise RetryableError("SendGrid answered 503")
        lines = " ".join(" ".join(caplog.messages).split())
        assert said in lines
        assert "What has been sent: 4 to send = 4 confirmed + 0 rejected by SendGrid" in lines
        assert caplog.messages[0] == "What happened: SendGrid answered 503"
    at_work(monkeypatch, 4, "contact_sync_demo_verify")
    caplog.clear()
    with pytest.raises(AirflowFailException), tasks.translated("demo"):
        raise ConfigError("wrong")
    assert "Nothing: a verification only reads" in caplog.text


def test_a_traceback_is_only_of_what_nobody_foresaw_and_above_the_text(
    connected: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without the error's own text, which may hold a row's values."""
    connected.definition = read_definition("demo")
    with connected.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="test")
    at_work(monkeypatch, 4)
    with pytest.raises(Unforeseen), tasks.working("demo", run_id):
        raise ValueError(ROW)
    frames = [n for n, line in enumerate(caplog.messages) if "test_failed_tasks.py" in line]
    (told,) = (n for n, line in enumerate(caplog.messages) if line.startswith("What happened"))
    assert frames[0] < told
    assert caplog.messages[-2].startswith("What to do: ")
    assert "is odd" not in caplog.text
    (cause,) = connected.state("SELECT cause FROM contact_sync.run WHERE run_id = %s", run_id)
    assert "Unforeseen ValueError" in cause[0]


def test_airflows_own_entry_is_dropped_for_what_was_told_and_for_nothing_else(
    connected: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Other DAGs' tasks, and errors of Airflow, are logged as ever."""
    at_work(monkeypatch, 4)
    log = structlog.get_logger("task")
    for error, is_told in ((ConfigError("our words"), True), (ValueError("theirs"), False)):
        try:
            if is_told:
                with tasks.translated("demo"):
                    raise error
            raise error
        except (AirflowFailException, ValueError):
            log.exception("Task failed with exception")
    said = capfd.readouterr()
    assert (said.out + said.err).count("Task failed with exception") == 1
    assert "ValueError: theirs" in said.out + said.err
