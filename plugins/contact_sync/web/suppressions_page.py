"""Who gets no mail from SendGrid, and why: a page and a CSV file. The addresses may be anybody's of
the account, so they aren't in URLs, and are masked unless the viewer may see addresses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Annotated

from fastapi import Depends, HTTPException, Request, Response
from fastapi.responses import StreamingResponse

from contact_sync.airflow_edge.access import ViewerDep
from contact_sync.airflow_edge.audit import Access, note_access
from contact_sync.base.suppressed import KINDS
from contact_sync.base.vocabulary import SuppressionKind
from contact_sync.reporting.csv_export import csv_lines
from contact_sync.state.for_people import suppressed
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.suppressed import Filter, KindCount, SuppressedAddress
from contact_sync.state.for_people.syncs import sync_row
from contact_sync.web.failures import make_router
from contact_sync.web.links import Links
from contact_sync.web.rendering import HEADERS, links_of, page
from contact_sync.web.seen_sync import SeenSync, readable_sync

ROWS = 1_000
"""The newest ones; all of them are in the file."""
COLUMNS = ("email", "kind", "group_id", "since", "first_seen", "gone_at")
POLICY_WORDS = {
    "nothing": "sent all the same",
    "warn": "sent, and counted in the report",
    "exclude": "not sent",
}
router = make_router()


@dataclass(frozen=True, slots=True)
class Only:
    """Which kind a URL asks for; "" = any."""

    kind: str = ""

    def known(self) -> str | None:
        """The kind, None = any. Answers 404 for one that doesn't exist."""
        if self.kind and self.kind not in set(SuppressionKind):
            raise HTTPException(404, f"There is no kind of suppression {self.kind[:40]!r}.")
        return self.kind or None


OnlyDep = Annotated[Only, Depends()]


@dataclass(frozen=True, slots=True)
class SuppressionsPage:
    """What the page shows. `read_to`: up to when SendGrid was read, None = it wasn't; `rows`: each
    with its address as the viewer may see it."""

    sync: SeenSync
    links: Links
    kind: str | None
    read_to: datetime | None
    kinds: list[KindCount]
    rows: list[tuple[SuppressedAddress, str]]

    @property
    def is_asked_for(self) -> bool:
        """Whether the definition asks for them."""
        return self.sync.definition.suppressions is not None

    @property
    def is_cut(self) -> bool:
        """Whether there may be more than the rows."""
        return len(self.rows) == ROWS

    @property
    def file(self) -> str:
        """The CSV file with all of them."""
        query = {"kind": self.kind} if self.kind else None
        return self.links.suppressions(self.sync.name, query, file=".csv")

    def only(self, kind: str) -> str:
        """The page of one kind."""
        return self.links.suppressions(self.sync.name, {"kind": kind})

    def policy(self, kind: str) -> str:
        """What the definition says about a kind."""
        asked = self.sync.definition.suppressions
        return POLICY_WORDS[getattr(asked, kind) if asked else "nothing"]

    def words(self, kind: str) -> str:
        """A kind in words."""
        return KINDS[kind]


@router.get("/syncs/{name}/suppressions")
def suppressions(request: Request, viewer: ViewerDep, name: str, only: OnlyDep) -> Response:
    """How many of each kind are in force, and the newest of them."""
    sync, kind = readable_sync(viewer, name), only.known()
    read_to, kinds = None, list[KindCount]()
    rows: list[SuppressedAddress] = []
    with reading(sync.state) as cursor:
        row = sync_row(cursor, name)
        if row:
            read_to = suppressed.last_read(cursor, row.sync_id)
            kinds = suppressed.count_kinds(cursor, row.sync_id)
            rows = suppressed.newest(cursor, row.sync_id, kind, ROWS)
    if sync.sees_addresses and rows:
        note_access(viewer, sync.definition, Access.LISTED, list="suppressions", rows=len(rows))
    shown = SuppressionsPage(
        sync, links_of(request), kind, read_to, kinds, [(r, sync.shown(r.email)) for r in rows]
    )
    return page(
        request, "suppressions.html", title="Suppressions at SendGrid", sync=sync, shown=shown
    )


@router.get("/syncs/{name}/suppressions.csv")
def suppressions_csv(viewer: ViewerDep, name: str, only: OnlyDep) -> StreamingResponse:
    """All that are in force, streamed; addresses as the viewer may see them."""
    sync, kind = readable_sync(viewer, name), only.known()
    with reading(sync.state) as cursor:
        row = sync_row(cursor, name)
    which = Filter(row.sync_id if row else -1, kind)
    note_access(viewer, sync.definition, Access.DOWNLOADED, list="suppressions", kind=kind,
                addresses=sync.sees_addresses)  # fmt: skip
    lines = _lines(sync, which)
    first = next(lines)  # what goes wrong at once is an answer of its own
    named = {"Content-Disposition": f'attachment; filename="suppressions-{name}.csv"'}
    return StreamingResponse(
        chain([first], lines), media_type="text/csv; charset=utf-8", headers={**HEADERS, **named}
    )


def _lines(sync: SeenSync, which: Filter) -> Iterator[bytes]:
    """The header with the first rows, then the others, in pieces of bounded size."""
    header = csv_lines([COLUMNS])
    for chunk in suppressed.all_addresses(sync.state, which):
        rows = ([sync.shown(each.email), *suppressed.cells(each)[1:]] for each in chunk)
        yield header + csv_lines(rows)
        header = b""
    if header:
        yield header
