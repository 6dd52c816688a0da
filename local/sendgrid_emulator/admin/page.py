"""A page for a person who watches: contacts, jobs and calls of this moment. It changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from local.sendgrid_emulator.model.account import Account, Call, account_of, base_url_of
from local.sendgrid_emulator.model.clock import iso
from local.sendgrid_emulator.model.jobs import Job
from local.sendgrid_emulator.model.show import Showcase

MOST = 50  # contacts, jobs and calls that are shown
SAFE = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"}
Cells = list[object]

router = APIRouter()
templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
)


@router.get("/__admin")
async def show_page(request: Request) -> Response:
    """Show the account; `email` in the query looks up one contact."""
    account, email = account_of(request), request.query_params.get("email", "").strip()
    counts = account.contacts.list_counts
    page = templates.get_template("page.html").render(
        now=iso(account.clock.now()),
        most=MOST,
        email=email,
        total=len(account.contacts),
        fields=account.fields.custom,
        lists=sorted([item.name, counts[item.id], item.id] for item in account.lists.values()),
        contacts=list(contact_rows(account, email.lower(), base_url_of(request))),
        jobs=list(job_rows(account)),
        calls=[call_cells(call) for call in islice(reversed(account.calls), MOST)],
    )
    return HTMLResponse(page, headers=SAFE)


def contact_rows(account: Account, email: str, base_url: str) -> Iterator[Cells]:
    """Yield the cells of the contact of an address, or of the newest contacts."""
    show = Showcase(account, base_url)
    found = account.contacts.by_email(email)
    contacts = ([found] if found else []) if email else reversed(account.contacts.by_id.values())
    for contact in islice(contacts, MOST):
        yield contact_cells(show.contact(contact), account)


def contact_cells(shown: dict[str, Any], account: Account) -> Cells:
    """Return what the page says of a contact."""
    place = [shown[name] for name in ("postal_code", "city", "country") if shown[name]]
    custom = [f"{name}: {value}" for name, value in shown["custom_fields"].items()]
    return [
        shown["email"],
        f"{shown['first_name']} {shown['last_name']}".strip(),
        shown["phone_number"],
        " ".join(place),
        ", ".join(sorted(account.lists[item].name for item in shown["list_ids"])),
        "; ".join(custom),
        shown["updated_at"],
    ]


def job_rows(account: Account) -> Iterator[Cells]:
    """Yield the cells of the newest jobs, the newest first."""
    now = account.clock.now()
    for job in islice(reversed(account.jobs.values()), MOST):
        yield job_cells(job, now)


def job_cells(job: Job, now: float) -> Cells:
    """Return what the page says of a job."""
    names = ("requested", "created", "updated", "unchanged", "deleted", "errored")
    counts = [f"{getattr(job, name)} {name}" for name in names if getattr(job, name)]
    status = job.status(now)
    return [iso(job.accepted_at), job.kind, status, ", ".join(counts), job.failure or "", job.id]


def call_cells(call: Call) -> Cells:
    """Return what the page says of a call; a query may hold a signature, so it isn't shown."""
    return [iso(call.time), call.method, call.path, call.status, call.request_bytes]
