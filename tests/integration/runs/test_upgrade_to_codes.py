"""P14: the texts that earlier versions stored become codes, and nothing of them is lost."""

from __future__ import annotations

from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.types.json import Jsonb

from contact_sync.reporting.run_report import text_report
from contact_sync.state.migrate import migrate
from local.postgres.server import Cluster
from tests.support.old_schema import upgrade_to
from tests.support.world import World

pytestmark = pytest.mark.own_connections

LEDGER = {
    ("confirmed", None): (None, None),
    ("pending", "job_never_ended"): ("job_never_ended", None),
    ("pending", "of an early version"): ("fate_unknown", "of an early version"),
    ("rejected", "too_long"): ("too_long", None),
    ("rejected", "SendGrid: not valid"): ("refused_by_sendgrid", "not valid"),
    ("rejected", "SendGrid: refused, no reason given"): ("refused_by_sendgrid", None),
    ("rejected", "SendGrid: refused"): ("refused_by_sendgrid", None),
    ("rejected", "SendGrid: its import failed"): ("import_failed", None),
    ("rejected", "SendGrid: not applied as sent, 5 times"): ("never_applied", None),
    ("rejected", "of an early version"): ("invalid", "of an early version"),
    ("excluded", "no consent: since 2020"): ("excluded_by_b2core", "no consent: since 2020"),
    ("excluded", "excluded_address"): ("excluded_address", None),
    ("excluded", "shared_address"): (None, None),
}
"""State and reason before → reason and detail afterwards."""
CONTACT = {"confirmed": ("a@example.com", 1, 1)}
"""Address and hashes of the clients that have a contact."""
OUTCOMES = {
    None: (None, None),
    "4 confirmed, 1 rejected": ("applied", {"confirmed": 4, "rejected": 1, "not_applied": 0}),
    "4 confirmed, 0 rejected, 2 not applied":
        ("applied", {"confirmed": 4, "rejected": 0, "not_applied": 2}),
    "nothing left to send": ("nothing_left", None),
    "all refused": ("all_refused", None),
    "job_failed": ("job_failed", None),
    "job_failed, one contact": ("failed_alone", None),
    "job_failed, sent again": ("sent_again", None),
    "split in halves": ("split", None),
    "1 rejected": ("rejected_alone", None),
    "7 removed": ("removed", {"removed": 7}),
    "7 taken off the list": ("unlisted", {"removed": 7}),
    "not removed; the next run tries again": ("not_removed", None),
    "1 of 2 deletions counted, the next run looks again":
        ("deletions_unclear", {"deleted": 1, "contacts": 2}),
    "nothing there": ("nothing_there", None),
    "the list is gone": ("list_gone", None),
    "not found yet, the next run looks again": ("not_found_yet", None),
    "SendGrid doesn't search these addresses": ("unsearchable", None),
    "fate_unknown": ("fate_unknown", None),
}  # fmt: skip
KINDS = {
    "asked for": ("asked_for", None),
    "first load": ("first_load", None),
    "the mapping, the list or a field id changed": ("mapping_changed", None),
    "B2CORE's server was replaced, restored or failed over": ("server_replaced", None),
    "the change detection was switched": ("detection_switched", None),
    "the last run is too long ago for xmin": ("xmin_too_old", None),
    "the last full run is older than 24 hours": ("full_run_due", "24"),
    "changes since 2026-11-27T00:00:00Z": ("changes_since", "2026-11-27T00:00:00Z"),
    None: (None, None),
}
PLAN = {
    "counts": {"read": 9, "rejected": 3},
    "rejections": {"email: invalid": 1, "refused by SendGrid, unchanged since": 2},
    "exclusions": {"no consent: since 2020": 3, "shared_address": 1, "excluded_address": 1},
    "dropped": {"phone_number: invalid": 1}, "stale": {},
    "above_limits": ["80 contacts would be changed, the limit is 50"],
}  # fmt: skip
RESULT = {
    "books": {"selected": 9},
    "refused": {
        "contact: SendGrid: not valid": 1, "contact: SendGrid: refused": 1,
        "contact: SendGrid: refused, no reason given": 2, "SendGrid: other reasons": 5,
    },
    "degraded": [
        "3 clients are rejected", "4 clients are pending, the next run sends them",
        "1 clients hold values that SendGrid can't clear",
        "2 contacts could not be removed, or nobody knows yet; the next run tries again",
    ],
    "jobs": [{"batch_id": 1, "lane": "csv", "rows": 5, "state": "settled", "job_id": "j",
              "status": "errored", "seconds": 1.0, "outcome": "4 confirmed, 1 rejected"}],
}  # fmt: skip
APPROVAL = {
    "why": ["80 contacts would be removed, the limit is 50"], "decision": "approved", "by": "ann",
}  # fmt: skip
NO_CAUSE = "A task failed: the first red task of this DAG run says why"


@pytest.fixture
def texts(world: World, cluster: Cluster) -> World:
    """The world with the last version's tables that held texts, and a row of each kind."""
    with psycopg.connect(cluster.url(urlsplit(world.state_url).path[1:])) as connection:
        connection.execute("DROP SCHEMA contact_sync CASCADE")
        connection.execute("CREATE SCHEMA contact_sync AUTHORIZATION contact_sync_state")
    upgrade_to(world.state_url, "0005")
    world.state("INSERT INTO contact_sync.sync (name, epoch) VALUES ('demo', 7)")
    for kind_reason in KINDS:
        world.state(
            """INSERT INTO contact_sync.run
                   (sync_id, epoch, kind, kind_reason, state, holder, definition_hash, cause,
                    plan, result, approval)
               VALUES (1, 7, 'full', %s, 'failed', 'test', 'x', %s, %s, %s, %s)""",
            kind_reason, NO_CAUSE, Jsonb(PLAN), Jsonb(RESULT), Jsonb(APPROVAL),
        )  # fmt: skip
    world.state(
        """INSERT INTO contact_sync.slice
               (run_id, slice_no, first_id, last_id, clients, members, counts)
           VALUES (1, 0, 1, 9, 9, '', %s)""",
        Jsonb(PLAN),
    )
    for client, (state, reason) in enumerate(LEDGER, 1):
        world.state(
            """INSERT INTO contact_sync.ledger
                   (sync_id, client_id, state, email_hash, email, contact_hash, row_hash, field,
                    reason)
               VALUES (1, %s, %s, 1, %s, %s, %s, %s, %s)""",
            client, state, *CONTACT.get(state, (None, None, None)),
            "contact" if state == "rejected" else None, reason,
        )  # fmt: skip
    for outcome in OUTCOMES:
        world.state(
            """INSERT INTO contact_sync.batch (run_id, sync_id, lane, state, contacts, outcome)
               VALUES (1, 1, 'csv', 'settled', 5, %s)""",
            outcome,
        )
    migrate(world.state_url)
    return world


def test_P14_stored_texts_become_codes(texts: World) -> None:
    """With their numbers and details; what an early version called otherwise is kept as detail."""
    found = texts.state("SELECT reason, detail FROM contact_sync.ledger ORDER BY client_id")
    assert dict(zip(LEDGER, found, strict=True)) == LEDGER
    found = texts.state("SELECT outcome, numbers FROM contact_sync.batch ORDER BY batch_id")
    assert dict(zip(OUTCOMES, found, strict=True)) == OUTCOMES
    found = texts.state("SELECT kind_reason, kind_detail FROM contact_sync.run ORDER BY run_id")
    assert dict(zip(KINDS, found, strict=True)) == KINDS


def test_P14_old_reports_are_read_as_new_ones(texts: World) -> None:
    """Every number is still there, also of a run that was at work during the upgrade."""
    report = texts.report(1)
    assert report["cause"] is None
    assert report["rejections"] == {
        "email: invalid": 1, "contact: refused_before": 2,
        "contact: refused_by_sendgrid: not valid": 1, "contact: refused_by_sendgrid": 3,
        "contact: other_refusals": 5,
    }  # fmt: skip
    exclusions = {
        "excluded_by_b2core: no consent: since 2020": 3, "shared_address": 1, "excluded_address": 1,
    }  # fmt: skip
    assert report["exclusions"] == exclusions
    assert report["degraded"] == [
        "3 clients are rejected", "4 clients are pending, the next run sends them",
        "1 client has values that SendGrid can't clear",
        "2 contacts could not be removed, or may not have been; the next run tries again",
    ]  # fmt: skip
    assert report["above_limits"] == PLAN["above_limits"]
    assert report["approval"] == APPROVAL
    (job,) = report["jobs"]
    assert (job["outcome"], job["numbers"]) == OUTCOMES["4 confirmed, 1 rejected"]
    said = text_report(texts.run_report(1))
    for part in ("No task said why", "asked for", "4 confirmed, 1 rejected", "email: not valid",
                 "B2CORE excludes it: no consent: since 2020"):  # fmt: skip
        assert part in said
    ((counts,),) = texts.state("SELECT counts FROM contact_sync.slice")
    assert counts["exclusions"] == exclusions
    assert counts["rejections"] == {"email: invalid": 1, "contact: refused_before": 2}
