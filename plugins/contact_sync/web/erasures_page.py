"""Erasures on request: a sync's with their evidence, and a form that asks for one.

Nothing on the page says who was erased. The form is for who may see addresses and start runs: it
puts up the tombstones at once, and the next run does the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from contact_sync.airflow_edge.access import ViewerDep
from contact_sync.airflow_edge.audit import Access, note_access
from contact_sync.base.erasure_steps import MAX_REASON, STEP_WORDS
from contact_sync.base.errors import ConfigError
from contact_sync.base.numbers import count_of
from contact_sync.state import erasures
from contact_sync.state.erasures import Erasure, SealedStep
from contact_sync.state.for_people.reading import reading
from contact_sync.web.failures import make_router
from contact_sync.web.links import Links
from contact_sync.web.look_up import asking_b2core
from contact_sync.web.rendering import links_of, page
from contact_sync.web.same_origin import require_same_origin
from contact_sync.web.seen_sync import SeenSync, readable_sync

SECONDS = 20
"""A person waits: B2CORE's addresses are read in this time, or not at all."""
router = make_router()


@dataclass(frozen=True, slots=True)
class ErasuresPage:
    """What the page shows; `steps`: of the one that was chosen. `problem`: why nobody was erased;
    `asked`: the id of the erasure that was just asked for, "" = none."""

    sync: SeenSync
    links: Links
    rows: list[Erasure]
    steps: list[SealedStep]
    chosen: str = ""
    problem: str = ""
    asked: str = ""

    @property
    def may_ask(self) -> bool:
        """Whether the viewer is offered the form."""
        return may_erase(self.sync)

    @property
    def max_reason(self) -> int:
        """Characters of a reason."""
        return MAX_REASON

    def evidence(self, row: Erasure) -> str:
        """Where its steps are."""
        return self.links.erasures(self.sync.name, {"show": row.erasure_id})

    def words(self, step: SealedStep) -> str:
        """A step in words."""
        return STEP_WORDS[step.what]

    def left_in(self, row: Erasure) -> str:
        """Where something is left to do, without the names of other syncs."""
        places = row.open_in or []
        own = [self.sync.name] if self.sync.name in places else []
        return ", ".join([*own, "other syncs"] if len(places) > len(own) else own)

    def asked_in(self, row: Erasure) -> str:
        """In which sync it was asked for."""
        return row.sync_name if row.sync_name == self.sync.name else "another sync"

    def numbers(self, step: SealedStep) -> str:
        """How many of what."""
        return ", ".join(count_of(n, what) for what, n in step.numbers.items())


def may_erase(sync: SeenSync) -> bool:
    """Whether the viewer may have people erased: who sees addresses and may start runs."""
    return sync.sees_addresses and sync.may_trigger


@router.get("/syncs/{name}/erasures")
def erasures_of(
    request: Request, viewer: ViewerDep, name: str, show: str = "", asked: str = ""
) -> Response:
    """A sync's erasures; `show`: the id of the one whose steps are shown. What was done in other
    syncs is for who may read those."""
    return _page(request, readable_sync(viewer, name), show, asked=asked)


@router.post("/syncs/{name}/erasures")
def ask(
    request: Request, viewer: ViewerDep, name: str,
    who: Annotated[str, Form(max_length=320)], reason: Annotated[str, Form(max_length=1_000)],
    sure: Annotated[str, Form()] = "",
) -> Response:  # fmt: skip
    """Ask for the erasure of a client, by id or key, or of whoever has an address; `sure=on`."""
    sync = readable_sync(viewer, name)
    require_same_origin(request)
    if not may_erase(sync):
        raise HTTPException(403, "Airflow doesn't let you see addresses and start runs, and both "
                                 "are needed to have somebody erased.")  # fmt: skip
    if sure != "on":
        return _page(request, sync, problem="Nobody was erased: tick that you are sure.")
    from contact_sync.erasure.request import Subject, find_person
    from contact_sync.erasure.request import request as put_up

    who = who.strip()
    subject = Subject(email=who) if "@" in who else Subject(client=who)
    try:
        with asking_b2core(name) as opened:
            limit = min(SECONDS, opened.b2core.statement_timeout_seconds)
            quick = replace(opened.b2core, statement_timeout_seconds=limit)
            asked_of = replace(opened, b2core=quick)
            by = str(viewer.user.get_name())
            found = find_person(asked_of, subject)
            erasure_id = put_up(asked_of, found, by=by, reason=reason)
    except ConfigError as error:
        return _page(request, sync, problem=str(error))
    note_access(viewer, sync.definition, Access.ERASED, erasure=erasure_id)  # never whose it is
    to = links_of(request).erasures(name, {"asked": erasure_id, "show": erasure_id})
    return RedirectResponse(to, status_code=303)


def _page(
    request: Request, sync: SeenSync, show: str = "", *, problem: str = "", asked: str = ""
) -> Response:
    with reading(sync.state) as cursor:
        rows = erasures.erasures(cursor, sync_name=sync.name)
        others = set(erasures.all_syncs(cursor).values()) - {sync.name}
        known = {row.erasure_id for row in rows}
        steps = erasures.steps_of(cursor, show) if show in known else []
    # A name that no sync has any more is a former one: the record keeps it.
    own = [step for step in steps if step.sync_name not in others]
    shown = ErasuresPage(
        sync, links_of(request), rows, own, show if own else "", problem,
        asked if asked in known else "",
    )  # fmt: skip
    status = 422 if problem else 200
    title = "Erasures on request"
    return page(request, "erasures.html", status=status, title=title, sync=sync, shown=shown)
