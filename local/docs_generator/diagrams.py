"""State diagrams in Mermaid's language, which GitHub draws, and the tables beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from contact_sync.base.address_life import STEPS, Noted
from contact_sync.base.batch_life import BIRTH, MOVES, OPEN
from contact_sync.base.client_life import CHANGES, KNOWN, PROMISES, Fate
from contact_sync.base.vocabulary import BatchState
from local.docs_generator.markdown import code, table

OUTSIDE = "[*]"
ANY = "any"


class Arrow(NamedTuple):
    """One arrow of a diagram."""

    start: str
    end: str
    words: str


def batch_lines() -> list[str]:
    """The life of a batch."""
    arrows = [Arrow(OUTSIDE, BIRTH, "planned")]
    arrows += [Arrow(start, move.to, move.event) for move in MOVES for start in move.came_from]
    arrows += [Arrow(state, OUTSIDE, "") for state in BatchState if state not in OPEN]
    rows = (
        (
            code(move.event), ", ".join(move.came_from), move.to,
            ", ".join(move.lanes), f"{move.who}: {move.task}", move.meaning,
        )
        for move in MOVES
    )  # fmt: skip
    titles = ("Event", "From", "To", "Lanes", "Who may", "What it says")
    return [*_diagram(arrows), "", *table(titles, rows)]


def client_lines() -> list[str]:
    """The life of a client in the ledger."""
    arrows = []
    for change in CHANGES:
        known = [fate for fate in change.came_from if fate is not None]
        starts = [ANY] if set(known) == set(KNOWN) else [fate.word for fate in known]
        starts += [OUTSIDE] if None in change.came_from and change.to is not None else []
        end = OUTSIDE if change.to is None else change.to.word
        arrows += [Arrow(start, end, change.statement.partition(".")[2]) for start in starts]
    promises = (
        (fate.word, promise.meaning, _columns(promise.has), _columns(promise.lacks))
        for fate, promise in PROMISES.items()
    )
    changes = (
        (
            code(change.statement), _fates(change.came_from),
            change.to.word if change.to is not None else "no longer known", change.task,
            change.meaning,
        )
        for change in CHANGES
    )  # fmt: skip
    return [
        *_diagram(arrows),
        "",
        *table(("Fate", "What it means", "Has a value", "Has none"), promises),
        "",
        *table(("Statement", "From", "To", "Task", "Because"), changes),
    ]


def address_lines() -> list[str]:
    """The life of an address that SendGrid may have to lose."""
    arrows = [
        Arrow(start or OUTSIDE, step.to, step.statement.partition(".")[2])
        for step in STEPS
        for start in step.came_from
    ]
    arrows += [Arrow(end, OUTSIDE, "") for end in (Noted.REMOVED, Noted.TAKEN)]
    rows = (
        (
            code(step.statement), ", ".join(start or "unknown" for start in step.came_from),
            step.to, step.task, step.meaning,
        )
        for step in STEPS
    )  # fmt: skip
    return [*_diagram(arrows), "", *table(("Statement", "From", "To", "Task", "Because"), rows)]


def _diagram(arrows: Iterable[Arrow]) -> list[str]:
    """Arrows between the same two states become one with all their words."""
    words: dict[tuple[str, str], list[str]] = defaultdict(list)
    for arrow in arrows:
        found = words[arrow.start, arrow.end]
        if arrow.words and arrow.words not in found:
            found.append(arrow.words)
    lines = [
        f"    {start} --> {end}" + (f": {', '.join(found)}" if found else "")
        for (start, end), found in words.items()
    ]
    return ["```mermaid", "stateDiagram-v2", *lines, "```"]


def _columns(names: Sequence[str]) -> str:
    return ", ".join(code(name) for name in names) or "-"


def _fates(came_from: Sequence[Fate | None]) -> str:
    known = [fate for fate in came_from if fate is not None]
    words = [ANY] if set(known) == set(KNOWN) else [fate.word for fate in known]
    return ", ".join([*words, *(["unknown"] if None in came_from else [])])
