"""What a run says that it sent, beside the ledger and SendGrid."""

from __future__ import annotations

from contact_sync.reporting.sending import TERMS
from tests.support.world import World

OF_RUN = """
    SELECT
        count(*) FILTER (WHERE l.state = 'confirmed'),
        count(*) FILTER (WHERE l.state = 'rejected')
    FROM contact_sync.ledger AS l
    INNER JOIN contact_sync.batch AS b ON b.batch_id = l.batch_id AND b.lane IN ('json', 'csv')
    WHERE b.run_id = %s
"""
JOBS = "SELECT job_id FROM contact_sync.batch WHERE run_id = %s AND lane IN ('json', 'csv')"


def assert_true_numbers(world: World) -> None:
    """The newest run, which has just ended: its sum adds up, and is the ledger's and SendGrid's."""
    report = world.run_report()
    found = report.sending
    assert found.to_send == sum(getattr(found, name) for name in TERMS), found
    assert all(n >= 0 for n in found.to_json().values()), found
    assert [(found.confirmed, found.rejected)] == world.state(OF_RUN, report.id), found
    assert report.counts["sent"] == found.confirmed
    own = {job_id for (job_id,) in world.state(JOBS, report.id)}
    jobs = [job.get("results", {}) for job in world.emulator.admin.jobs() if job["id"] in own]
    if found.under_way == 0:
        for name in ("created", "updated", "errored"):
            at_sendgrid = sum(counts.get(f"{name}_count", 0) for counts in jobs)
            assert getattr(found, name) <= at_sendgrid, (name, found)
