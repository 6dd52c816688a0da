"""*Syncs > New* and *Syncs > NAME > Mapping*: a form that makes a definition's file.

Nothing is written on the server: definitions stay files under version control. What it looks at it
only reads, in limited time (PAGE_SECONDS an answer), through connections that the viewer may edit.
What reads B2CORE imports Arrow, a second at the first look of a process: not with the app.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import parse_qsl, quote

from fastapi import Depends, HTTPException, Request, Response

from contact_sync.airflow_edge.access import Viewer, ViewerDep
from contact_sync.airflow_edge.connection_ids import connection_ids
from contact_sync.airflow_edge.provider import CONNECTION_TYPE
from contact_sync.airflow_edge.set_up_findings import set_up_findings
from contact_sync.base.errors import ConfigError
from contact_sync.base.findings import Area, Finding, Judgement
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.files import read_definitions, source_folders
from contact_sync.config.parse import read_yaml, validated
from contact_sync.web.failures import make_router
from contact_sync.web.findings_view import FindingsView
from contact_sync.web.mapping_form import CONNECTIONS, MappingForm, form_of, new_form, posted_form
from contact_sync.web.mapping_result import PresentFile, Result, Written, written
from contact_sync.web.rendering import HEADERS, page
from contact_sync.web.same_origin import require_same_origin
from contact_sync.web.seen_sync import readable_definitions

MAX_VALUES = 10_000
WHY_NOT = (
    "Syncs are set up here by whoever may edit connections in Airflow, because the form looks "
    "through them. Whoever administers Airflow can give you the permission to edit connections; "
    "the definitions themselves are files in include/syncs/."
)
router = make_router()


async def _posted(request: Request) -> list[tuple[str, str]]:
    """The names and values of a form, in their order; 422 when it makes no sense."""
    body = await request.body()
    try:
        text = body.decode("utf-8")
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_VALUES, errors="strict")
    except ValueError:
        raise HTTPException(422) from None


PostedDep = Annotated[list[tuple[str, str]], Depends(_posted)]


@router.get("/new")
def new(request: Request, viewer: ViewerDep) -> Response:
    """The first part of the form: a name, the connections, the statements."""
    _require_editor(viewer)
    return _page(request, viewer, new_form())


@router.post("/new")
def new_posted(request: Request, viewer: ViewerDep, posted: PostedDep) -> Response:
    """`do=look`: at both sides, and the rest of the form; `do=check`: also the definition and what
    is right and wrong; `do=download`: the definition as a file."""
    _require_editor(viewer)
    require_same_origin(request)
    return _answer(request, viewer, _form(posted), _asked(posted), None)


@router.get("/syncs/{name}/mapping")
def mapping(request: Request, viewer: ViewerDep, name: str) -> Response:
    """The form as the sync's definition fills it, with what both sides have now."""
    present = _present(viewer, name)
    form = form_of(validated(dict(present.data), present.name))
    return _answer(request, viewer, form, "look", present)


@router.post("/syncs/{name}/mapping")
def mapping_posted(request: Request, viewer: ViewerDep, name: str, posted: PostedDep) -> Response:
    """As `new_posted`, beside the present file. The name stays: another one is another sync."""
    present = _present(viewer, name)
    require_same_origin(request)
    form = _form(posted).with_texts(name=str(present.data["name"]))
    return _answer(request, viewer, form, _asked(posted), present)


def _require_editor(viewer: Viewer) -> None:
    if not viewer.may_edit_connections():
        raise HTTPException(403, WHY_NOT)


def _present(viewer: Viewer, name: str) -> PresentFile:
    """The sync's file. Answers 403 or 404 as its other pages do."""
    path = readable_definitions(viewer, name).paths[name]
    _require_editor(viewer)
    text = path.read_text(encoding="utf-8")
    return PresentFile(path.name, text, read_yaml(text, path.name))


def _form(posted: list[tuple[str, str]]) -> MappingForm:
    try:
        return posted_form(posted)
    except ConfigError:
        raise HTTPException(422) from None


def _asked(posted: list[tuple[str, str]]) -> str:
    return next((value for name, value in reversed(posted) if name == "do"), "check")


def _answer(
    request: Request, viewer: Viewer, form: MappingForm, asked: str, present: PresentFile | None
) -> Response:
    if asked == "download":
        try:
            return _file(written(form, present))
        except ConfigError:
            asked = "check"  # whose answer says what is wrong
    from contact_sync.contacts.account_fields import likely_list
    from contact_sync.lookup.both_sides import Account, Columns, seen_account, seen_columns
    from contact_sync.web.mapping_view import proposed

    try:
        setup = _setup(viewer, _reachable(form))
        account, source = seen_account(setup.open_sendgrid), seen_columns(setup.open_b2core)
    except ConfigError as error:
        account, source = Account(None, None, str(error)), Columns(None, str(error))
    if form.rows is None:
        form = replace(form, rows=proposed(form, account, source))
        list_name = form["list"] or likely_list(account.lists or [], form["name"]) or ""
        form = form.with_texts(list=list_name)
    result = _checked(viewer, form, present) if asked == "check" else None
    return _page(request, viewer, form, present, result, account=account, source=source)


def _file(made: Written) -> Response:
    named = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(made.file)}"}
    media_type = "application/yaml; charset=utf-8"
    return Response(made.text, media_type=media_type, headers={**HEADERS, **named})


def _reachable(form: MappingForm) -> SyncDefinition:
    """What is enough of a definition to look at both sides; the rest may not be right yet."""
    data = {
        "name": "new", "caption": "new",
        "connections": {name: form[name] for name in CONNECTIONS}, "source": {"sql": form["sql"]},
    }  # fmt: skip
    return validated(data, "The form")


def _checked(viewer: Viewer, form: MappingForm, present: PresentFile | None) -> Result:
    """The definition, if the form makes one, and the checklist of `validate --connect` for it."""
    try:
        made = written(form, present)
    except ConfigError as error:
        return Result(problem=str(error))
    findings = [] if present else _taken(made)
    findings += set_up_findings(_setup(viewer, made.definition))
    return Result(written=made, present=present, checked=FindingsView(findings))


def _taken(made: Written) -> list[Finding]:
    found = read_definitions()
    name = made.definition.name
    if name not in found.by_name and made.file not in found.broken:
        return []
    said, fix = f"there is a sync {name!r} already", "choose another name, or open its mapping"
    return [Finding(Area.DEFINITION, "name", Judgement.WRONG, said, fix)]


def _setup(viewer: Viewer, definition: SyncDefinition) -> Any:
    """What `checklist` looks at, through connections that the viewer may edit only."""
    from contact_sync.airflow_edge.handles import quick_setup_of

    setup, ids = quick_setup_of(definition, []), definition.connections
    return replace(
        setup,
        open_state=_allowed(viewer, ids.state, setup.open_state),
        open_b2core=_allowed(viewer, ids.b2core, setup.open_b2core),
        open_sendgrid=_allowed(viewer, ids.sendgrid, setup.open_sendgrid),
    )


def _allowed(viewer: Viewer, conn_id: str, opening: Callable[[], Any]) -> Callable[[], Any]:
    def opened() -> Any:
        if not viewer.may_edit_connection(conn_id):
            raise ConfigError(f"Airflow doesn't let you edit the connection {conn_id!r}, so that "
                              f"nothing is looked at through it")  # fmt: skip
        return opening()

    return opened


def _page(
    request: Request, viewer: Viewer, form: MappingForm, present: PresentFile | None = None,
    result: Result | None = None, **seen: Any,
) -> Response:  # fmt: skip
    from contact_sync.web.mapping_view import MappingView

    postgres = connection_ids("postgres", viewer.may_edit_connection)
    accounts = connection_ids(CONNECTION_TYPE, viewer.may_edit_connection)
    connections = {"b2core": postgres, "sendgrid": accounts, "state": postgres}
    shown = MappingView(form, connections, source_folders(), **seen)
    title = "Mapping" if present else "New sync"
    status = 422 if result and result.problem else 200
    return page(request, "mapping.html", status=status, title=title, shown=shown, result=result,
                present=present)  # fmt: skip
