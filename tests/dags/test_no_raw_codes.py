"""No code, no list of Python's and no asterisk reaches whoever reads pages or the command line.

One run has every code of the vocabulary at once: as the database may hold it, if not together.
"""

from __future__ import annotations

import html
import re

import pytest
from psycopg.types.json import Jsonb

from contact_sync.base.degraded import Degraded
from contact_sync.base.suppressed import KINDS
from contact_sync.base.vocabulary import (
    UNPROVEN,
    ExclusionReason,
    Lane,
    Outcome,
    Refusal,
    RefusalSum,
    SuppressionKind,
    ValueProblem,
)
from contact_sync.reporting.run_report import text_report
from tests.dags.test_pages import loaded, text
from tests.support.findings import verified
from tests.support.raw_codes import N, raw
from tests.support.world import World

pytestmark = pytest.mark.airflow
NUMBERS = {"confirmed": N, "rejected": N, "removed": N, "deleted": N, "contacts": N, "moved": N,
           "left": N, "not_applied": N, "again": N}  # fmt: skip
SUPPRESSED = [f"{ExclusionReason.SUPPRESSED_AT_SENDGRID}: {kind}" for kind in SuppressionKind]
OF_FIELD = [*ValueProblem, *Refusal, *RefusalSum]
COUNTS = ("read", "to_send", "sent_again", "address_changed", "held", "not_looked_up",
          "to_remove", "unmovable", "rejected")  # fmt: skip
PLAN = {
    "counts": dict.fromkeys(COUNTS, N),
    "rejections": {f"email: {code}": N for code in OF_FIELD},
    "exclusions": dict.fromkeys([*map(str, ExclusionReason), *SUPPRESSED], N),
    "dropped": {f"city: {code}": N for code in ValueProblem},
    "stale": {"Score": N},
    "warned": dict.fromkeys(KINDS, N),
    "above_limits": [{"limit": "changes", "n": N, "allowed": N}],
    "held_absences": N,
}  # fmt: skip
RESULT = {
    "degraded": dict.fromkeys(Degraded, N),
    "dropped_now": {f"city: {code}": N for code in ValueProblem},
    "dropped_new": {f"city: {code}": N for code in ValueProblem},
    "restrained_by": {"other": N},
    "books": {"selected": N, "confirmed": N, "pending": N, "rejected": N, "excluded": N},
    "jobs": [
        {"batch_id": 1, "lane": lane, "rows": N, "state": "settled", "status": "completed",
         "outcome": outcome, "numbers": NUMBERS}
        for lane in Lane for outcome in (*Outcome, *UNPROVEN)
    ],
}  # fmt: skip
BATCHES = """
    INSERT INTO contact_sync.batch
        (run_id, sync_id, lane, state, contacts, job_id, job_status, outcome, numbers,
         submitted_at, settled_at)
    SELECT %s, 1, lane, 'settled', 1234567, 'job', 'completed', outcome, %s, now(), now()
    FROM unnest(%s::text[]) AS lane, unnest(%s::text[]) AS outcome"""


def read_by_people(page: str) -> str:
    """What a page shows, and its tab: without tags, and so without the addresses of links."""
    title, body = page.partition("<title>")[2].partition("</title>")[0], page.partition("<body")[2]
    assert "</a><a" not in page, "two links that look like one"
    body = f"{title} <p{body}"
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


def test_every_code_of_a_run_is_in_words_and_every_number_has_separators(
    connected: World,
) -> None:
    """On the run's page, the sync's, that of all syncs, and in `status`."""
    for column in ("run.run_id", "batch.batch_id", "verification.verification_id"):
        named, _, number = column.partition(".")
        restart = f"ALTER TABLE contact_sync.{named} ALTER COLUMN {number} RESTART WITH {N}"
        connected.state(restart)
    run_id = loaded(connected)
    verified(connected, ("missing", 1, "client1@example.com"))
    connected.state(
        "UPDATE contact_sync.run SET plan = %s, result = %s WHERE run_id = %s",
        Jsonb(PLAN), Jsonb(RESULT), run_id,
    )  # fmt: skip
    outcomes = [*Outcome, *UNPROVEN]
    connected.state(BATCHES, run_id, Jsonb(NUMBERS), list(Lane)[:3], outcomes)
    pages = {path: read_by_people(text("admin", path))
             for path in (f"/syncs/demo/runs/{run_id}", "/syncs/demo", "/syncs")}  # fmt: skip
    pages["status"] = text_report(connected.run_report(run_id))
    for path, said in pages.items():
        assert "1,234,567" in said, path
        assert raw(said) == [], path
    run = f"/syncs/demo/runs/{run_id}"
    for path in (f"{run}/changes", f"{run}/plan", "/syncs/demo/to-do", "/syncs/demo/rejected",
                 "/syncs/demo/verification"):  # fmt: skip
        assert raw(read_by_people(text("admin", path))) == [], path
    assert "SendGrid refused it for a rarer reason" in pages["status"]
