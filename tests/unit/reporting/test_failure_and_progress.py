"""How a failure is told, and how far a run has got."""

from __future__ import annotations

from contact_sync.base.errors import B2CORE, ConfigError
from contact_sync.config.definition import Connections
from contact_sync.reporting import failure
from contact_sync.reporting.failure import Failure, next_run, sent_by
from contact_sync.reporting.progress import progress
from contact_sync.reporting.sending import JobSum
from contact_sync.reporting.shown_run import SliceProgress
from tests.support.samples import shown_run

NO_SLICES = SliceProgress(0, 0, 0, 0)


def test_a_failure_is_told_in_four_parts_each_wrapped_after_its_title() -> None:
    """A list keeps its form; a link stays whole."""
    link = "http://airflow.example/dags/" + "x" * 120
    cause = "The setup is wrong. To fix:\n  - " + "no list; " * 20 + "\n  - no field"
    lines = Failure(cause, "Nothing", "Nothing is lost", f"Trigger: {link}").lines
    titles = [line.partition(":")[0] for line in lines if not line.startswith(" ")]
    assert titles == [
        "What happened", "What has been sent", "What happens by itself", "What to do",
    ]  # fmt: skip
    assert link in lines[-1]
    assert max(map(len, lines[:-1])) <= 100
    bullets = [line for line in lines if line.lstrip().startswith("- ")]
    assert len(bullets) == 2
    assert lines[lines.index(bullets[0]) + 1].startswith(" " * 6)


def test_a_cause_names_the_connection_of_its_server() -> None:
    """Where the error is about one, and doesn't name it itself."""
    connections = Connections(b2core="main_b2core")
    error = ConfigError("B2CORE's database can't be reached")
    assert failure.cause_of(error, connections) == str(error)
    error.about = f"{B2CORE} (clients.sql)"
    said = failure.cause_of(error, connections)
    assert said == f"{error}. The Airflow connection is 'main_b2core'"
    named = ConfigError("the connection 'main_b2core' lacks a host")
    named.about = B2CORE
    assert failure.cause_of(named, connections) == str(named)


def test_what_was_sent_is_the_one_sum_or_why_there_is_none() -> None:
    """Before a plan, of a dry run, of a run that sends."""
    sums = (JobSum("json", "settled", "completed", "applied", planned=True, jobs=1, rows=1_200,
                   confirmed=1_200),)  # fmt: skip
    plan = {"counts": {"to_send": 1_200}}
    assert sent_by(None) == "Nothing: the run had not begun"
    assert sent_by(shown_run(plan=None)) == "Nothing: the run had no plan yet"
    assert sent_by(shown_run(plan=plan, dry_run=True)) == "Nothing: a dry run changes nothing"
    assert sent_by(shown_run(plan=plan, job_sums=sums)).startswith(
        "1,200 to send = 1,200 confirmed"
    )
    assert sent_by(shown_run()) == "Nothing: there was nothing to send"
    assert next_run("@hourly in UTC").endswith("It begins by its schedule: @hourly in UTC")
    assert next_run(None).endswith("somebody has to start it")


def test_progress_counts_clients_that_are_read_then_contacts_whose_fate_is_known() -> None:
    """In words and numbers; a run that is over says how it ended."""
    at_work = {"state": "running", "kind": "full"}
    early = progress(shown_run(plan=None, **at_work), NO_SLICES)
    assert early.line == "Run 7, full: checks the setup and selects clients"
    reading = progress(shown_run(plan=None, **at_work), SliceProgress(4, 1, 4_000, 1_000))
    assert reading.line == "Run 7, full: reads B2CORE (1,000 of 4,000)"
    sums = (
        JobSum("json", "settled", "completed", "applied", planned=True, jobs=1, rows=500,
               confirmed=500),
        JobSum("json", "submitted", "pending", None, planned=True, jobs=1, rows=700),
    )  # fmt: skip
    plan = {"counts": {"to_send": 1_200}}
    sending = progress(shown_run(plan=plan, result=None, job_sums=sums, **at_work), NO_SLICES)
    assert (sending.done, sending.total) == (500, 1_200)
    assert "waits for SendGrid, which has 700 contacts" in sending.text
    assert progress(shown_run(), NO_SLICES).line == "Run 7, incremental: succeeded"
