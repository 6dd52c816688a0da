"""The administrator's endpoints for an audit: who got no mail when which contacts came."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from local.sendgrid_emulator.admin.routes import admin_body
from local.sendgrid_emulator.jobs.attempts import Unprocessable
from local.sendgrid_emulator.jobs.csv_import import readable, rows_of
from local.sendgrid_emulator.model.account import account_of
from local.sendgrid_emulator.model.refusal import answer
from local.sendgrid_emulator.model.sent import Sent

router = APIRouter(prefix="/__admin")


@router.get("/suppressed")
async def get_suppressed(request: Request) -> Response:
    """Return the addresses that get no mail now, by what keeps it from them."""
    found = account_of(request).suppressions.in_force()
    return answer({kind: sorted(emails) for kind, emails in found.items()})


@router.post("/sent")
async def audit(request: Request) -> Response:
    """Return each request and file that brought contacts: when, by which job, which of the given
    `addresses` it has, and which of its own got no mail at that moment."""
    account, content = account_of(request), await admin_body(request)
    sought = frozenset(content["addresses"])
    found = [described(sent, sought) for sent in account.sent.kept if not sent.by_test]
    return answer({"forgotten": account.sent.forgotten, "sent": found})


def described(sent: Sent, sought: frozenset[str]) -> dict[str, Any]:
    """Return what is told of one."""
    emails = frozenset(addresses_of(sent))
    kept_from = {kind: sorted(emails & without) for kind, without in sent.in_force.items()}
    return {
        "at": sent.at,
        "job_id": sent.job_id,
        "addresses": sorted(emails & sought),
        "suppressed": {kind: found for kind, found in kept_from.items() if found},
    }


def addresses_of(sent: Sent) -> Iterator[str]:
    """Yield the addresses; of a file that can't be read, those before."""
    yield from sent.emails
    if sent.file is None or sent.column is None:
        return
    try:
        with readable():
            for number, cells in rows_of(sent.file):
                if number and len(cells) > sent.column:
                    yield cells[sent.column].strip().lower()
    except Unprocessable:
        return
