"""The newest verification of a sync: its certificate, and what isn't equal, by client."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import HTTPException, Request, Response
from fastapi.responses import StreamingResponse

from contact_sync.airflow_edge.access import ViewerDep
from contact_sync.airflow_edge.audit import Access, note_access
from contact_sync.base.verdicts import BREACHES, Count, Verdict, told
from contact_sync.reporting.csv_export import csv_lines
from contact_sync.reporting.run_story import dag_run_of
from contact_sync.state import verifications
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.syncs import sync_row
from contact_sync.state.verifications import Finding, Verification
from contact_sync.web.client_files import addresses
from contact_sync.web.failures import make_router
from contact_sync.web.rendering import HEADERS, links_of, page
from contact_sync.web.seen_sync import SeenSync, readable_sync

ROWS = 100
LEFT_ALONE = (Verdict.FOREIGN_ON_LIST, Verdict.NOT_COMPARABLE)
"""What a repair doesn't change by itself."""
COLUMNS = ("finding", "verdict", "client_id", "client_key", "fields", "on_list", "repaired")
router = make_router()


@dataclass(frozen=True, slots=True)
class VerificationPage:
    """A certificate with a page of its findings, each with its address as the viewer may see it.

    `only`: the verdict that was asked for; None = all. `after`: the number of the last finding
    shown, if there are more. `problem`: why clients' addresses can't be shown.
    """

    found: Verification
    rows: list[tuple[Finding, str]]
    only: Verdict | None
    after: int | None
    problem: str

    @property
    def verdicts(self) -> list[tuple[Verdict, str]]:
        """What isn't equal, and what can't be compared, with its number in words."""
        counts = self.found.counts
        return [(code, told(code, counts[code])) for code in Verdict if counts.get(code)]

    @property
    def counts(self) -> list[str]:
        """What was counted besides, in words."""
        counts = self.found.counts
        return [told(code, counts[code]) for code in Count if counts.get(code)]

    @property
    def compared(self) -> str:
        """How many contacts were compared, in words."""
        return told(Count.COMPARED, self.found.counts.get(Count.COMPARED, 0))

    @property
    def dag_run(self) -> tuple[str, str] | None:
        """The DAG run that verified; None: a command did."""
        return dag_run_of(self.found.holder)

    @property
    def to_repair(self) -> bool:
        """Whether something here waits for a repair that nobody has told a run to do."""
        counts = self.found.counts
        done = any(row.repaired for row, _ in self.rows)
        return not done and any(counts.get(code) for code in Verdict if code not in LEFT_ALONE)

    @property
    def has_breach(self) -> bool:
        """Whether a contact is on the list without right."""
        return any(self.found.counts.get(code) for code in BREACHES)


@router.get("/syncs/{name}/verification")
def verification(
    request: Request, viewer: ViewerDep, name: str, verdict: str = "", after: int = 0
) -> Response:
    """The certificate, and ROWS findings after the number `after`, of one verdict if asked for."""
    sync, only = readable_sync(viewer, name), _asked(verdict)
    found = _newest(sync)
    shown = None
    if found is not None:
        chosen = (only,) if only else tuple(Verdict)
        with reading(sync.state) as cursor:
            rows = verifications.findings(
                cursor, found.verification_id, chosen, after=after, at_most=ROWS + 1
            )
        last = rows[ROWS - 1].finding_no if len(rows) > ROWS else None
        with_address, problem = _with_addresses(sync, rows[:ROWS])
        if sync.sees_addresses and rows:
            note_access(viewer, sync.definition, Access.LISTED, list="findings",
                        verification=found.verification_id, rows=len(rows[:ROWS]))  # fmt: skip
        shown = VerificationPage(found, with_address, only, last, problem)
    query = {"verdict": only} if only else None
    return page(request, "verification.html", title="Verification", sync=sync, shown=shown,
                file=links_of(request).verification(name, query, ".csv"))  # fmt: skip


@router.get("/syncs/{name}/verification.csv")
def verification_csv(viewer: ViewerDep, name: str, verdict: str = "") -> StreamingResponse:
    """All findings, or those of one verdict, streamed; addresses of those who are no clients for
    who may see them."""
    sync, only = readable_sync(viewer, name), _asked(verdict)
    found = _newest(sync)
    if found is None:
        raise HTTPException(404, "No verification of this sync has come to its end.")
    note_access(viewer, sync.definition, Access.DOWNLOADED, list="findings",
                verification=found.verification_id, addresses=sync.sees_addresses)  # fmt: skip
    named = {"Content-Disposition": f'attachment; filename="verification-{sync.name}.csv"'}
    return StreamingResponse(
        _lines(sync, found.verification_id, only), media_type="text/csv; charset=utf-8",
        headers={**HEADERS, **named},
    )  # fmt: skip


def _asked(verdict: str) -> Verdict | None:
    if not verdict:
        return None
    if verdict not in set(Verdict):
        raise HTTPException(404, f"There is no verdict {verdict!r}.")
    return Verdict(verdict)


def _newest(sync: SeenSync) -> Verification | None:
    with reading(sync.state) as cursor:
        row = sync_row(cursor, sync.name)
        return verifications.newest(cursor, row.sync_id, only_succeeded=True) if row else None


def _with_addresses(sync: SeenSync, rows: list[Finding]) -> tuple[list[tuple[Finding, str]], str]:
    """A contact's own address where it is kept, else its client's in B2CORE."""
    ids = [row.client_id for row in rows if row.client_id is not None and not row.email]
    found, problem = addresses(sync.name, ids)
    shown = [
        (row, sync.shown(row.email or found.get(-1 if row.client_id is None else row.client_id)))
        for row in rows
    ]
    return shown, problem


def _lines(sync: SeenSync, verification_id: int, only: Verdict | None) -> Iterator[bytes]:
    chosen = (only,) if only else tuple(Verdict)
    yield csv_lines([(*COLUMNS, *("email",) * sync.sees_addresses)])
    after = 0
    while True:
        with reading(sync.state) as cursor:
            rows = verifications.findings(cursor, verification_id, chosen, after=after)
        if not rows:
            return
        yield csv_lines(
            [
                row.finding_no, str(row.verdict), row.client_id, row.client_key,
                " ".join(row.fields), row.on_list, row.repaired,
                *([row.email] * sync.sees_addresses),
            ]
            for row in rows
        )  # fmt: skip
        after = rows[-1].finding_no
