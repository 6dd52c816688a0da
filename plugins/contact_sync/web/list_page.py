"""A page of the rejected clients, or of the dropped values: both are lists by client."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from contact_sync.base import words
from contact_sync.base.vocabulary import MAX_REASONS
from contact_sync.state.for_people.dropped import DroppedValue
from contact_sync.state.for_people.rejected import ReasonCount, RejectedClient
from contact_sync.web.links import reason_query
from contact_sync.web.seen_sync import SeenSync

Row = TypeVar("Row", RejectedClient, DroppedValue)


@dataclass(frozen=True, slots=True)
class ListPage(Generic[Row]):
    """A page of a list, each row with its client's address as the viewer may see it.

    `link`: the list's path, as `Links.rejected` gives it. `chosen`: field, reason and detail that
    were asked for; {} = all. `is_later`: it isn't the first page. `after`: the query by which the
    next page begins; {} = it is the last one. `problem`: why addresses can't be shown.
    """

    sync: SeenSync
    link: Callable[..., str]
    chosen: dict[str, str]
    is_later: bool
    rows: list[tuple[Row, str]]
    after: dict[str, str]
    reasons: list[ReasonCount]
    problem: str

    @property
    def has_more_reasons(self) -> bool:
        """Whether rare reasons are left out."""
        return len(self.reasons) == MAX_REASONS

    @property
    def first_id(self) -> int | None:
        """The id that a later page begins with."""
        return self.rows[0][0].client_id if self.is_later and self.rows else None

    def file(self, ending: str) -> str:
        """The file with the same rows, of all pages; `ending` is ".csv" or ".parquet"."""
        return self.link(self.sync.name, self.chosen, file=ending)

    @property
    def first_page(self) -> str:
        """Where the list begins; "" on the first page."""
        return self.link(self.sync.name, self.chosen) if self.is_later else ""

    @property
    def next_page(self) -> str:
        """Where the list goes on; "" on the last page."""
        return self.link(self.sync.name, self.chosen | self.after) if self.after else ""

    def only(self, row: ReasonCount) -> str:
        """The page of those with one field and reason."""
        return self.link(self.sync.name, reason_query(row.field, row.reason, row.detail))

    @property
    def chosen_words(self) -> str:
        """What was asked for, in words."""
        reason = self.chosen.get("reason")
        why = words.reason(reason, self.chosen.get("detail")) if reason else ""
        return words.counted(self.chosen.get("field"), why)
