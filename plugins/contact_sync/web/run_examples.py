"""Clients that a run rejected, as examples of each of its reasons."""

from __future__ import annotations

from dataclasses import replace

from contact_sync.base import words
from contact_sync.base.vocabulary import RefusalSum
from contact_sync.postgres.cursor import Cursor
from contact_sync.reporting.run_report import run_report
from contact_sync.reporting.shown_run import ShownRun
from contact_sync.state.for_people import rejected
from contact_sync.state.for_people.rejected import ExampleClient
from contact_sync.web.rejected_page import Only

LOOKED_AT = 50  # rejected clients of each reason


def examples_of(cursor: Cursor, run: ShownRun) -> dict[str, list[ExampleClient]]:
    """By the keys of the report's rejections: whom the plan names. What SendGrid rejected during
    the run, and a plan of an older version, names nobody: then who is rejected for it now."""
    named = run.plan.examples if run.plan else {}
    every = sorted({client_id for ids in named.values() for client_id in ids})
    known = rejected.example_clients(cursor, run.sync_id, every) if every else {}
    reasons = {why for why, n in run_report(run).rejections.items() if n}
    return {
        why: [known[client_id] for client_id in named[why]]
        if why in named
        else _rejected_now(cursor, run, why, reasons)
        for why in reasons
    }


def _rejected_now(
    cursor: Cursor, run: ShownRun, why: str, reasons: set[str]
) -> list[ExampleClient]:
    only = Only(*words.parts_of(why, has_field=True))
    which = only.filter(run.sync_id)
    if only.reason == RefusalSum.REFUSED_BEFORE:  # the others were refused by this very run
        which = replace(which, since_before=run.started_at)
    clients = rejected.page_of_clients(cursor, which, LOOKED_AT)
    if only.reason == RefusalSum.OTHER_REFUSALS:
        clients = [client for client in clients if client.why not in reasons]
    return [ExampleClient(c.client_id, c.client_key, c.email, True) for c in clients]
