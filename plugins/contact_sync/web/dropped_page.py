"""The values of a sync's clients that don't fit their fields: a page and a CSV file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.responses import StreamingResponse

from contact_sync.airflow_edge.access import ViewerDep
from contact_sync.base import words
from contact_sync.base.vocabulary import MAX_REASONS
from contact_sync.state.for_people import dropped
from contact_sync.state.for_people.dropped import DroppedValue, Filter, ReasonCount
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.syncs import sync_row
from contact_sync.web.client_files import addresses, csv_file
from contact_sync.web.failures import make_router
from contact_sync.web.links import Links, reason_query
from contact_sync.web.rendering import links_of, page
from contact_sync.web.seen_sync import SeenSync, readable_sync

ROWS = 100
COLUMNS = ("field", "reason", "since")
router = make_router()


@dataclass(frozen=True, slots=True)
class Only:
    """Which of the dropped values a URL asks for; "" = of every field, for every reason."""

    field: str = ""
    reason: str = ""

    def filter(self, sync_id: int, after: int = -1, after_field: str = "") -> Filter:
        """The same for the state database."""
        return Filter(sync_id, self.field or None, self.reason or None, after, after_field)


OnlyDep = Annotated[Only, Depends()]


@dataclass(frozen=True, slots=True)
class DroppedPage:
    """Values from the one that follows `after`, each with its client's address as the viewer may
    see it.

    `chosen`: field and reason that were asked for; {} = all. `is_later`: it isn't the first page.
    `problem`: why addresses can't be shown.
    """

    sync: SeenSync
    links: Links
    chosen: dict[str, str]
    is_later: bool
    values: list[tuple[DroppedValue, str]]
    has_more: bool
    reasons: list[ReasonCount]
    problem: str

    @property
    def has_more_reasons(self) -> bool:
        """Whether rare reasons are left out."""
        return len(self.reasons) == MAX_REASONS

    @property
    def first_id(self) -> int | None:
        """The id that a later page begins with."""
        return self.values[0][0].client_id if self.is_later and self.values else None

    @property
    def file(self) -> str:
        """The CSV file with the same values, of all pages."""
        return self.links.dropped(self.sync.name, self.chosen, file=".csv")

    @property
    def first_page(self) -> str:
        """Where the list begins; "" on the first page."""
        return self.links.dropped(self.sync.name, self.chosen) if self.is_later else ""

    @property
    def next_page(self) -> str:
        """Where the list goes on; "" on the last page."""
        if not self.has_more:
            return ""
        last, _ = self.values[-1]
        after = {"after": str(last.client_id), "after_field": last.field}
        return self.links.dropped(self.sync.name, self.chosen | after)

    def only(self, row: ReasonCount) -> str:
        """The page of the values with one field and reason."""
        return self.links.dropped(self.sync.name, reason_query(row.field, row.reason))

    @property
    def chosen_words(self) -> str:
        """What was asked for, in words."""
        reason = self.chosen.get("reason")
        return words.counted(self.chosen.get("field"), reason and words.reason(reason))


@router.get("/syncs/{name}/dropped")
def dropped_values(
    request: Request, viewer: ViewerDep, name: str, only: OnlyDep, after: int = -1,
    after_field: str = "",
) -> Response:  # fmt: skip
    """ROWS values from the one after client `after` and its field, of one reason if asked for."""
    sync = readable_sync(viewer, name)
    rows: list[DroppedValue] = []
    reasons: list[ReasonCount] = []
    with reading(sync.state) as cursor:
        row = sync_row(cursor, name)
        if row:
            which = only.filter(row.sync_id, after, after_field)
            rows = dropped.page_of_values(cursor, which, ROWS + 1)
            reasons = dropped.count_reasons(cursor, row.sync_id)
    found, problem = addresses(name, [value.client_id for value in rows[:ROWS]])
    shown = DroppedPage(
        sync=sync,
        links=links_of(request),
        chosen=reason_query(only.field, only.reason),
        is_later=after >= 0,
        values=[(value, sync.shown(found.get(value.client_id))) for value in rows[:ROWS]],
        has_more=len(rows) > ROWS,
        reasons=reasons,
        problem=problem,
    )
    return page(request, "dropped.html", title="Dropped values", sync=sync, shown=shown)


@router.get("/syncs/{name}/dropped.csv")
def dropped_csv(viewer: ViewerDep, name: str, only: OnlyDep) -> StreamingResponse:
    """All of them, streamed; with addresses for who may see them."""
    sync = readable_sync(viewer, name)
    with reading(sync.state) as cursor:
        row = sync_row(cursor, name)
    which = only.filter(row.sync_id if row else -1)
    return csv_file(sync, "dropped", COLUMNS, dropped.all_values(sync.state, which), _cells)


def _cells(value: DroppedValue) -> list[Any]:
    return [value.field, words.reason(value.reason), value.since.isoformat()]
