"""docs/fault-matrix.md, cell by cell: one fault at one call, then the runs after it."""

from __future__ import annotations

import pytest
from _pytest.mark.structures import ParameterSet

from contact_sync.base.errors import AuthError, RetryableError
from contact_sync.run import in_one_process
from contact_sync.run.sending import removal_targets, suppressions
from contact_sync.sendgrid import retries, transport
from tests.support.fault_matrix.faults import ENDLESS, FAULTS, READ_SECONDS, faulty, says
from tests.support.fault_matrix.outcomes import OUTCOMES, assert_recovered
from tests.support.fault_matrix.table import CELLS, ENDPOINTS, LEFT_OUT, Cell, table
from tests.support.fault_matrix.tricks import Clock
from tests.support.fault_matrix.worlds import be_patient, failure, made, prepare, watermark_of
from tests.support.world import API_KEY, World

CONNECTION = ". The Airflow connection is 'sendgrid_default'"
SECRETS = (API_KEY, "@example", "Zoë", "X-Amz-Signature")


def test_the_table_is_whole() -> None:
    """Every fault meets every call, or a reason says why not."""
    assert {cell.fault for cell in table()} == FAULTS.keys()
    assert {cell.endpoint for cell in table()} == ENDPOINTS.keys()
    assert {cell.outcome for cell in table()} == OUTCOMES.keys() | LEFT_OUT.keys()
    assert len(CELLS) >= 160


def with_marks() -> list[ParameterSet]:
    """`make test` tries each fault with each outcome that it may have, and every call; the other
    cells are slow, because they differ from one of these in the call alone."""
    seen: set[tuple[str, str]] = set()
    cells = []
    for cell in CELLS:
        new = {("", cell.endpoint), (cell.fault, cell.outcome)} - seen
        seen |= new
        cells.append(pytest.param(cell, marks=[] if new else pytest.mark.slow))
    return cells


@pytest.mark.parametrize("cell", with_marks(), ids=str)
def test_C04_C06_C07_C08_C09_C14_D05_one_fault(
    consenting: World,
    cell: Cell,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The run does what the table says; the next ones repair everything and then rest."""
    world, endpoint = consenting, ENDPOINTS[cell.endpoint]
    clock = Clock(world.emulator.admin)
    clock.rule(monkeypatch)
    monkeypatch.setattr(removal_targets, "SEARCH_LAG_SECONDS", 0.0)
    monkeypatch.setattr(suppressions, "MAX_SINGLE_LOOKUPS", 0 if endpoint.bulk else 1)
    if cell.endpoint in ("GET scopes", "GET lists", "GET field_definitions"):
        monkeypatch.setattr(in_one_process, "MAX_READS", 1)  # the second check would hide it
    prepare(world, cell)
    watermark = watermark_of(world)
    if cell.fault.startswith("time-out"):
        monkeypatch.setattr(transport, "READ_SECONDS", READ_SECONDS)
    with faulty(world, endpoint, cell.fault, clock) as faulty_world:
        earlier = made(world, endpoint)
        error = failure(faulty_world)
    if error is not None:
        assert watermark_of(world) == watermark
        assert world.report()["cause"].removesuffix(CONNECTION) == str(error)
        assert endpoint.is_loaded or "confirmed" not in world.fates().values()
    calls = len(made(world, endpoint)) - len(earlier)
    OUTCOMES[cell.outcome](world, cell, error, calls)
    be_patient(world, cell)
    unfinished = cell.outcome in ("stops", "later", "pending", "only proven", "held", "named")
    assert_recovered(world, cell, needs_run=unfinished)
    assert [secret for secret in SECRETS if secret in f"{caplog.text} {error}"] == []


@pytest.mark.parametrize("name", ENDPOINTS)
@pytest.mark.parametrize("fault", ENDLESS)
def test_C06_C07_a_fault_without_end(
    consenting: World, name: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tries and waits are limited: the run ends, confirms nobody wrongly, and the next one can."""
    cell = Cell("without end", name, "")
    world, endpoint = consenting, ENDPOINTS[name]
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
        len(made(world, endpoint)) - len(earlier) <= retries.MAX_TRIES * in_one_process.MAX_SUBMITS
    )
    if name != "PUT upload":  # whose job is waited for until `job_hours`, by the database's clock
        assert sum(clock.slept) <= retries.RETRY_BUDGET_SECONDS * in_one_process.MAX_SUBMITS
    if endpoint.method == "GET" or endpoint.former or name == "PUT contacts":
        assert name == "GET errors file" or isinstance(error, RetryableError)
    assert error is None or watermark_of(world) == watermark
    assert endpoint.is_loaded or world.fates().get(2) != "confirmed"
    world.emulator.admin.clear_faults()
    be_patient(world, cell)
    assert_recovered(world, cell, needs_run=True)


def test_C08_a_revoked_key_stops_every_run_at_its_first_call(world: World) -> None:
    """And with the right key, everything is sent."""
    prepare(world, Cell("401", "GET scopes", "stops"))
    world.emulator.admin.fault("*", "*", times=10_000, **says(401))
    for calls in (1, 2):
        with pytest.raises(AuthError, match="the API key is wrong, revoked or from another region"):
            world.run()
        assert len(world.emulator.admin.calls()) == calls
    world.emulator.admin.clear_faults()
    world.run()
    world.assert_converged()
