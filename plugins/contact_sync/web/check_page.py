"""*Syncs > NAME > Check set-up*: the checklist of `validate --connect`, in limited time.

For whoever may start runs of the sync: a run looks at the same, through the same connections.
"""

from __future__ import annotations

from fastapi import HTTPException, Request, Response

from contact_sync.airflow_edge.access import ViewerDep
from contact_sync.airflow_edge.set_up_findings import set_up_findings
from contact_sync.web.failures import make_router
from contact_sync.web.findings_view import FindingsView
from contact_sync.web.rendering import page
from contact_sync.web.same_origin import require_same_origin
from contact_sync.web.seen_sync import readable_definitions

router = make_router()


@router.post("/syncs/{name}/check")
def check(request: Request, viewer: ViewerDep, name: str) -> Response:
    """Look at everything that a run needs, except every client; nothing is sent or stored."""
    require_same_origin(request)
    found = readable_definitions(viewer, name)
    definition = found.by_name[name]
    if not viewer.may_trigger(definition.dag_id):
        raise HTTPException(403, "The set-up is checked by whoever may start runs of this DAG, and "
                                 "Airflow doesn't let you.")  # fmt: skip
    from contact_sync.airflow_edge.handles import quick_setup_of

    setup = quick_setup_of(definition, found.warnings.get(name, []))
    shown = FindingsView(list(set_up_findings(setup)))
    title = "Check of the set-up"
    return page(request, "check.html", title=title, definition=definition, shown=shown)
