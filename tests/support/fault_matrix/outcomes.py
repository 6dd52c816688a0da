"""The outcomes of the matrix by name: what is true after the run that met the fault, and after the
next one."""

from __future__ import annotations

from contact_sync.base.errors import AuthError, RequestRefused, RetryableError, SyncError
from tests.support.fault_matrix.table import ENDPOINTS, Cell
from tests.support.fault_matrix.worlds import ANN, BOB, EVE, books_of, made
from tests.support.world import World

MAX_POLLS = 20


def assert_right(world: World, cell: Cell) -> None:
    """Every contact is as it should be in the end, and every client's fate is known."""
    endpoint = ENDPOINTS[cell.endpoint]
    out = {1} if endpoint.withdrawn else set[int]()
    fates = {"confirmed": 2} if not out else {"confirmed": 1, "excluded": 1}
    assert books_of(world) == {"selected": 2, **fates}
    unlisted = {ANN} if endpoint.unlists or endpoint.withdrawn else set[str]()
    world.assert_converged(unlisted=unlisted, excluded=out)


def polls(cell: Cell) -> bool:
    """Whether the run makes this call until its answer says that a job, or a removal, is over."""
    return cell.endpoint in ("GET job", "POST search")


def absorbed(world: World, cell: Cell, error: SyncError | None) -> None:
    """The run has succeeded and left nothing to do."""
    assert error is None
    if ENDPOINTS[cell.endpoint].refused:
        assert books_of(world) == {"selected": 2, "confirmed": 1, "rejected": 1}
        return
    assert_right(world, cell)


def again(world: World, cell: Cell, error: SyncError | None, calls: int) -> None:
    """One call more than without the fault; a rate limit meets each of them."""
    absorbed(world, cell, error)
    usual = ENDPOINTS[cell.endpoint].calls
    more = usual if "x-ratelimit" in cell.fault else 1
    assert (2 <= calls <= MAX_POLLS) if polls(cell) else calls == usual + more


def once(world: World, cell: Cell, error: SyncError | None, calls: int) -> None:
    """No call more; the relay's second request is not the run's."""
    absorbed(world, cell, error)
    expected = ENDPOINTS[cell.endpoint].calls + (cell.fault == "request twice")
    assert (1 <= calls <= MAX_POLLS) if polls(cell) else calls == expected


def cut(world: World, cell: Cell, error: SyncError | None, calls: int) -> None:
    """Each half by itself."""
    absorbed(world, cell, error)
    assert calls == 3


def named(world: World, cell: Cell, error: SyncError | None, calls: int) -> None:
    """Whoever is named is rejected until its row changes."""
    assert error is None
    assert (books_of(world), calls) == ({"selected": 2, "confirmed": 1, "rejected": 1}, 2)
    assert world.fates()[1].startswith("rejected: contact: refused_by_sendgrid")
    world.edit(1, first_name="No longer refused")


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


OUTCOMES = {
    "again": again,
    "once": once,
    "cut": cut,
    "named": named,
    "new import": new_import,
    "pending": pending,
    "only proven": only_proven,
    "stops": stops,
    "later": later,
    "resumes": resumes,
    "held": held,
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
    assert_right(world, cell)
    opted_out = {ANN, EVE} if endpoint.opted_out else {ANN} if endpoint.withdrawn else set()
    assert set(world.emulator.admin.suppressions()) == opted_out
    assert world.emulator.admin.faults() == {"calls": [], "jobs": []}
    assert "/elsewhere" not in {call["path"] for call in world.emulator.admin.calls()}
    written = world.writes()
    idle = world.run()
    assert (idle["counts"]["sent"], idle["jobs"], world.writes()) == (0, [], written)
