"""docs/fault-matrix.md, cell by cell: one fault at one call, then the runs after it."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast, get_args

import pytest
import requests

from contact_sync.base.errors import AuthError, RequestRefused, RetryableError, SyncError
from contact_sync.run import in_one_process
from contact_sync.run.sending import removal_targets, suppressions
from contact_sync.sendgrid import transport
from local.sendgrid_emulator.process import Emulator
from tests.support.faults import Clock, Trick, relay
from tests.support.world import API_KEY, World

DOCUMENT = Path(__file__).parents[3] / "docs" / "fault-matrix.md"
ANN, BOB, EVE = "ann@example.com", "bob@example.com", "eve@example.com"
SECRETS = (API_KEY, "@example", "Zoë", "X-Amz-Signature")
READ_SECONDS = 0.4  # in the rows of time-outs; long enough for an answer on a busy machine
MAX_POLLS = 20
CONTACTS = "/v3/marketing/contacts"
IMPORTS = f"{CONTACTS}/imports"
GLOBAL = "/v3/asm/suppressions/global"


@dataclass(frozen=True)
class Endpoint:
    """A call of the product, and what a world needs for it to happen."""

    method: str
    route: str
    lane: str = "json"
    former: bool = False  # a client has changed its address
    refused: bool = False  # SendGrid refuses a contact and gives an errors file
    unlists: bool = False  # the former contact is only taken off the list
    opted_out: bool = False  # the former address is unsubscribed
    bulk: bool = False  # many clients have changed their addresses

    @property
    def told(self) -> str:
        """How messages name it."""
        return re.sub(r"\{(job|list)_id\}", "{id}", f"{self.method} {self.route}")


ENDPOINTS = {
    "GET scopes": Endpoint("GET", "/v3/scopes"),
    "GET lists": Endpoint("GET", "/v3/marketing/lists"),
    "GET field_definitions": Endpoint("GET", "/v3/marketing/field_definitions"),
    "PUT contacts": Endpoint("PUT", CONTACTS),
    "PUT imports": Endpoint("PUT", IMPORTS, lane="csv"),
    "PUT upload": Endpoint("PUT", "/imports/{job_id}", lane="csv"),
    "GET job": Endpoint("GET", f"{IMPORTS}/{{job_id}}"),
    "GET errors file": Endpoint("GET", "/errors/{job_id}/{name}", refused=True),
    "POST search": Endpoint("POST", f"{CONTACTS}/search/emails", former=True),
    "DELETE contacts": Endpoint("DELETE", CONTACTS, former=True),
    "DELETE list": Endpoint(
        "DELETE", "/v3/marketing/lists/{list_id}/contacts", former=True, unlists=True
    ),
    "GET suppression": Endpoint("GET", f"{GLOBAL}/{{email}}", former=True),
    "POST suppressions": Endpoint("POST", GLOBAL, former=True, opted_out=True),
    "GET unsubscribes": Endpoint("GET", "/v3/suppression/unsubscribes", former=True, bulk=True),
}

PAGE = {"body": f"<html>\n<p>Sorry,\n{ANN}! {API_KEY}\n</html>"}
REFUSAL = json.dumps({"errors": [{"message": f"not for {ANN}", "field": None}]})


def says(status: int, body: str = REFUSAL, **more: Any) -> dict[str, Any]:
    """An answer with JSON."""
    return {"status": status, "body": body, "headers": {"content-type": "application/json"}, **more}


def limited(**headers: str) -> dict[str, Any]:
    """A 429."""
    return {"status": 429, "headers": {k.replace("_", "-"): v for k, v in headers.items()}}


FAULTS: dict[str, dict[str, Any] | Trick | Callable[[World, Endpoint, Clock], None]] = {
    "time-out before the effect": {"delay": 2 * READ_SECONDS, "status": 503},
    "time-out after the effect": "keep the answer",
    "reset before the effect": {"reset": True},
    "reset after the effect": {"reset": True, "when": "after"},
    "503 after the effect": {"status": 503, "when": "after"},
    "reset in the answer": {"truncate": 5},
    "400": says(400),
    "401": says(401),
    "403": says(403),
    "404 page": {"status": 404, **PAGE},
    "408": {"status": 408},
    "413 page": {"status": 413, **PAGE},
    "429 without a header": "hide the limits",
    "429 Retry-After 7": limited(retry_after="7"),
    "429 Retry-After in the past": limited(retry_after="Wed, 21 Oct 2015 07:28:00 GMT"),
    "429 Retry-After 9999999": limited(retry_after="9999999"),
    "429 x-ratelimit-reset in seconds": lambda *world: use_up(*world, "delta"),
    "429 x-ratelimit-reset as a date": lambda *world: use_up(*world, "epoch"),
    "500 page": {"status": 500, **PAGE},
    "502 page": {"status": 502, **PAGE},
    "503": {"status": 503},
    "slow answer": {"delay": 0.05},
    "half a JSON text": says(200, '{"job_id": "1', when="after"),
    "JSON list": says(200, f'["{ANN}"]', when="after"),
    "JSON without what is asked for": says(200, "{}", when="after"),
    "no body": says(200, "", when="after"),
    "200 page": {"status": 200, **PAGE},
    "302 to another host": lambda world, endpoint, _: redirect(world, endpoint),
    "answer twice": "answer twice",
    "request twice": "request twice",
}


@dataclass(frozen=True)
class Cell:
    """A cell of the table."""

    fault: str
    endpoint: str
    outcome: str

    def __str__(self) -> str:
        return f"{self.endpoint}-{self.fault}"


def table() -> list[Cell]:
    """The cells of the document, those left out included."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    rows = [[part.strip() for part in line.split("|")[1:-1]] for line in lines if "|" in line]
    start = next(number for number, row in enumerate(rows) if row[0] == "Fault")
    names = rows[start][1:]
    return [
        Cell(row[0], name, outcome)
        for row in rows[start + 2 :]
        for name, outcome in zip(names, row[1:], strict=True)
    ]


LEFT_OUT = dict(re.findall(r"^- (\w): (.+)$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))
CELLS = [cell for cell in table() if cell.outcome not in LEFT_OUT]


def test_the_table_is_whole() -> None:
    """Every fault meets every call, or a reason says why not."""
    assert {cell.fault for cell in table()} == FAULTS.keys()
    assert {cell.endpoint for cell in table()} == ENDPOINTS.keys()
    assert {cell.outcome for cell in table()} == OUTCOMES.keys() | LEFT_OUT.keys()
    assert len(CELLS) >= 160


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_C04_C06_C07_C08_C09_C14_D05_one_fault(
    world: World,
    cell: Cell,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The run does what the table says; the next ones repair everything and then rest."""
    endpoint = ENDPOINTS[cell.endpoint]
    clock = Clock(world.emulator.admin)
    clock.rule(monkeypatch)
    monkeypatch.setattr(removal_targets, "SEARCH_LAG_SECONDS", 0.0)
    monkeypatch.setattr(suppressions, "MAX_SINGLE_LOOKUPS", 0 if endpoint.bulk else 1)
    prepare(world, cell)
    watermark = watermark_of(world)
    if cell.fault.startswith("time-out"):
        monkeypatch.setattr(transport, "READ_SECONDS", READ_SECONDS)
    with faulty(world, endpoint, cell.fault, clock) as faulty_world:
        earlier = made(world, endpoint)
        error = failure(faulty_world)
    if error is not None:
        assert watermark_of(world) == watermark
        assert world.report()["cause"] == str(error)
        assert endpoint.former or "confirmed" not in world.fates().values()
    calls = len(made(world, endpoint)) - len(earlier)
    OUTCOMES[cell.outcome](world, cell, error, calls)
    unfinished = cell.outcome in ("stops", "later", "pending", "only proven", "held", "unproven")
    assert_recovered(world, cell, needs_run=unfinished)
    assert [secret for secret in SECRETS if secret in f"{caplog.text} {error}"] == []


ENDLESS = {
    "429 Retry-After 60": limited(retry_after="60"),
    "429 Retry-After 0": limited(retry_after="0"),
    "500": says(500),
}


@pytest.mark.parametrize("name", ENDPOINTS)
@pytest.mark.parametrize("fault", ENDLESS)
def test_C06_C07_a_fault_without_end(
    world: World, name: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tries and waits are limited: the run ends, confirms nobody wrongly, and the next one can."""
    cell = Cell("without end", name, "")
    endpoint = ENDPOINTS[name]
    clock = Clock(world.emulator.admin)
    clock.rule(monkeypatch)
    monkeypatch.setattr(removal_targets, "SEARCH_LAG_SECONDS", 0.0)
    monkeypatch.setattr(suppressions, "MAX_SINGLE_LOOKUPS", 0 if endpoint.bulk else 1)
    prepare(world, cell)
    earlier, watermark = made(world, endpoint), watermark_of(world)
    world.emulator.admin.fault(endpoint.method, endpoint.route, times=10_000, **ENDLESS[fault])
    clock.slept.clear()
    error = failure(world)
    assert (
        len(made(world, endpoint)) - len(earlier)
        <= transport.MAX_TRIES * in_one_process.MAX_SUBMITS
    )
    if name != "PUT upload":  # whose job is waited for until `job_hours`, by the database's clock
        assert sum(clock.slept) <= transport.RETRY_BUDGET_SECONDS * in_one_process.MAX_SUBMITS
    if endpoint.method == "GET" or endpoint.former or name == "PUT contacts":
        assert name == "GET errors file" or isinstance(error, RetryableError)
    assert error is None or watermark_of(world) == watermark
    assert endpoint.former or world.fates().get(2) != "confirmed"
    world.emulator.admin.clear_faults()
    assert_recovered(world, cell, needs_run=True)


def test_C08_a_revoked_key_stops_every_run_at_its_first_call(world: World) -> None:
    """And with the right key, everything is sent."""
    prepare(world, Cell("401", "GET scopes", "stops"))
    world.emulator.admin.fault("*", "*", times=10_000, **says(401))
    for calls in (1, 2):
        with pytest.raises(AuthError, match="the API key is wrong, revoked or of another region"):
            world.run()
        assert len(world.emulator.admin.calls()) == calls
    world.emulator.admin.clear_faults()
    world.run()
    world.assert_converged()


def prepare(world: World, cell: Cell) -> None:
    """Clients to be sent, and a contact to be removed or refused, in an account without delay."""
    admin, endpoint = world.emulator.admin, ENDPOINTS[cell.endpoint]
    admin.settings(delay=0, finish_delay=0)
    world.redefine(lane=endpoint.lane)
    ann = world.add(ANN, first_name="Zoë")
    world.add(BOB, status_id=1)
    if endpoint.former:
        world.run()
        world.edit(ann, email=EVE)
    if endpoint.unlists:
        world.redefine(on_address_change="unlist")
    if endpoint.opted_out:
        admin.suppress(ANN)
    if endpoint.refused:
        admin.put_contacts({"email": BOB, "external_id": "omitted by the sync"})
    if cell.endpoint == "PUT upload" and cell.outcome == "once":  # its job is waited for
        world.redefine(deadlines={"job_hours": 1, "quarantine_minutes": 1})
    if cell.endpoint == "PUT upload" and cell.fault == "200 page":  # its job never starts
        world.redefine(deadlines={"job_hours": 0.0001, "quarantine_minutes": 0})


@contextlib.contextmanager
def faulty(world: World, endpoint: Endpoint, fault: str, clock: Clock) -> Iterator[World]:
    """The world with a fault at the next call of the endpoint."""
    emulator, order = world.emulator, FAULTS[fault]
    if callable(order):
        order(world, endpoint, clock)
    elif isinstance(order, dict):
        emulator.admin.fault(endpoint.method, endpoint.route, **order)
    if order not in get_args(Trick):
        yield world
        return
    if order == "hide the limits":
        emulator.admin.fault(endpoint.method, endpoint.route, status=429)
    with relay(emulator.base_url, cast(Trick, order), endpoint.method, endpoint.route) as between:
        names = {"base_url": between.url, "admin": emulator.admin}
        yield replace(world, emulator=cast(Emulator, SimpleNamespace(**names)))


def use_up(world: World, endpoint: Endpoint, clock: Clock, reset: str) -> None:
    """Somebody else's call uses up the calls of this minute."""
    bucket = f"{endpoint.method} {endpoint.route}"
    world.emulator.admin.settings(rate_limits={bucket: 1}, rate_limit_reset=reset)
    clock.start_minute()
    url = world.emulator.base_url + re.sub(r"\{\w+\}", "none", endpoint.route)
    ids = {"contact_ids" if endpoint.unlists else "ids": "none"}
    requests.request(endpoint.method, url, params=ids, timeout=10)


def redirect(world: World, endpoint: Endpoint) -> None:
    """The answer names another place."""
    there = {"location": f"{world.emulator.upload_url}/elsewhere"}
    world.emulator.admin.fault(endpoint.method, endpoint.route, status=302, headers=there)


def failure(world: World) -> SyncError | None:
    """Run; returns the error."""
    try:
        world.run()
    except SyncError as error:
        return error
    return None


def made(world: World, endpoint: Endpoint) -> list[dict[str, Any]]:
    """The calls to an endpoint so far."""
    wanted = (endpoint.method, endpoint.route)
    calls = world.emulator.admin.calls()
    return [call for call in calls if (call["method"], call["route"]) == wanted]


def watermark_of(world: World) -> Any:
    """Up to where B2CORE has been read; None before the first run has ended."""
    return next((row[0] for row in world.state("SELECT watermark FROM contact_sync.sync")), None)


def books_of(world: World) -> dict[str, int]:
    """How many clients have which fate after the newest run, without zeros."""
    return {fate: n for fate, n in world.report()["books"].items() if n}


def unlisted(cell: Cell) -> set[str]:
    """The contacts that exist and are off the list in the end."""
    return {ANN} if ENDPOINTS[cell.endpoint].unlists else set()


def polls(cell: Cell) -> bool:
    """Whether the run makes this call until its answer says that a job is over."""
    return cell.endpoint == "GET job"


def absorbed(world: World, cell: Cell, error: SyncError | None) -> None:
    """The run has succeeded and left nothing to do."""
    assert error is None
    if ENDPOINTS[cell.endpoint].refused:
        assert books_of(world) == {"selected": 2, "confirmed": 1, "rejected": 1}
        return
    assert books_of(world) == {"selected": 2, "confirmed": 2}
    world.assert_converged(unlisted=unlisted(cell))


def again(world: World, cell: Cell, error: SyncError | None, calls: int) -> None:
    """One call more than without the fault."""
    absorbed(world, cell, error)
    assert (2 <= calls <= MAX_POLLS) if polls(cell) else calls == 2


def once(world: World, cell: Cell, error: SyncError | None, calls: int) -> None:
    """No call more; the relay's second request is not the run's."""
    absorbed(world, cell, error)
    expected = 2 if cell.fault == "request twice" else 1
    assert (1 <= calls <= MAX_POLLS) if polls(cell) else calls == expected


def new_import(world: World, cell: Cell, error: SyncError | None, calls: int) -> None:
    """Two imports, one upload into each, of which the second counts."""
    absorbed(world, cell, error)
    uploads = made(world, ENDPOINTS["PUT upload"])
    assert len({call["path"] for call in uploads}) == calls == 2


def pending(world: World, cell: Cell, error: SyncError | None, calls: int) -> None:
    """Nobody is confirmed, everybody is sent again."""
    assert error is None
    assert books_of(world) == {"selected": 2, "pending": 2}
    assert {fate.split(":")[0] for fate in world.fates().values()} == {"pending"}
    assert (1 <= calls <= MAX_POLLS) if polls(cell) else calls == 1


def only_proven(world: World, cell: Cell, error: SyncError | None, calls: int) -> None:
    """Nobody is confirmed who was refused."""
    assert error is None
    assert world.fates()[1] in ("confirmed", "pending: errors_file_unclear")
    assert world.fates()[2].startswith(("rejected: ", "pending: errors_file_unclear"))
    assert sum(books_of(world).values()) == 2 * books_of(world)["selected"] == 4
    assert calls == 1


def stops(world: World, cell: Cell, error: SyncError | None, calls: int) -> None:
    """A person must act."""
    status = cell.fault.split()[0]
    expected = AuthError if status in ("401", "403") else RequestRefused
    assert type(error) is expected
    assert str(error).startswith(f"{ENDPOINTS[cell.endpoint].told}: SendGrid answered {status}")
    assert calls == 1


def later(world: World, cell: Cell, error: SyncError | None, calls: int) -> None:
    """Trying again may help."""
    assert isinstance(error, RetryableError)
    assert str(error).startswith(f"{ENDPOINTS[cell.endpoint].told}: ")
    assert calls == 1


def resumes(world: World, cell: Cell, error: SyncError | None, calls: int) -> None:
    """The job has been sent; the next run finds it."""
    stops(world, cell, error, calls)
    written = world.writes()
    world.run()
    assert world.writes() == written


def held(world: World, cell: Cell, error: SyncError | None, calls: int) -> None:
    """The client whose opt-out can't be carried over is pending, and has no contact yet."""
    assert error is None
    assert books_of(world) == {"selected": 2, "confirmed": 1, "pending": 1}
    assert world.fates()[1].startswith("pending: suppression_")
    assert (set(world.contacts()), calls) == ({ANN, BOB}, 1)


def unproven(world: World, cell: Cell, error: SyncError | None, calls: int) -> None:
    """All is right, but nobody knows before the next run."""
    once(world, cell, error, calls)
    assert any("nobody knows yet" in what for what in world.report()["degraded"])


OUTCOMES = {
    "again": again,
    "once": once,
    "new import": new_import,
    "pending": pending,
    "only proven": only_proven,
    "stops": stops,
    "later": later,
    "resumes": resumes,
    "held": held,
    "unproven": unproven,
}


def assert_recovered(world: World, cell: Cell, *, needs_run: bool) -> None:
    """After one run without a fault everything is right, and the next one has nothing to do."""
    endpoint = ENDPOINTS[cell.endpoint]
    refused = endpoint.refused
    if refused:
        world.delete_at_sendgrid(f"contacts?ids={world.contacts()[BOB]['id']}")
        world.edit(2, first_name="No longer refused")
    if needs_run or refused:
        world.run()
    assert books_of(world) == {"selected": 2, "confirmed": 2}
    world.assert_converged(unlisted=unlisted(cell))
    opted_out = {ANN, EVE} if endpoint.opted_out else set()
    assert set(world.emulator.admin.suppressions()) == opted_out
    assert set(world.fates().values()) == {"confirmed"}
    assert world.emulator.admin.faults() == {"calls": [], "jobs": []}
    assert "/elsewhere" not in {call["path"] for call in world.emulator.admin.calls()}
    written = world.writes()
    idle = world.run()
    assert (idle["counts"]["sent"], idle["jobs"], world.writes()) == (0, [], written)
