"""What is timed, in which order, and what each program must have done to count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

from benchmarks.measure import Measured, measure
from benchmarks.world import World

Say = Callable[[str], None]
Times = dict[str, list[Measured]]
ONE_PERCENT, HUNDRED = 100, 100
SCENARIOS = (
    *("limit", "first_load", "scan", "no_change", "one_percent", "hundred_changed"),
    *("backfill", "forced", "cleared", "refilled", "baseline"),
)


class NotDoneError(Exception):
    """A program didn't do what its time would be reported for."""


def time_all(world: World, repetitions: int, say: Say, *, baseline: bool) -> Iterator[Times]:
    """All scenarios, interleaved: each repetition runs every one of them once; `baseline`: the
    script written by hand, too.

    Gives everything measured so far after each repetition, always the same object.
    """
    times: Times = defaultdict(list)
    for repetition in range(1, repetitions + 1):
        for name, measured in every_scenario(world, repetition, baseline=baseline):
            times[name].append(measured)
            say(line(f"{repetition}/{repetitions} {name}", measured))
        yield times


def every_scenario(
    world: World, repetition: int, *, baseline: bool
) -> Iterator[tuple[str, Measured]]:
    """One after the other, each a fresh process, on a state that the one before left."""
    yield from first_loads(world)
    yield "no_change", no_change(world)
    changed = world.change(ONE_PERCENT, f"Changed {repetition}")
    yield "one_percent", sending(world, "incremental", at_most=changed, at_least=changed * 9 // 10)
    changed = world.change(max(1, world.clients // HUNDRED), f"Again {repetition}")
    yield "hundred_changed", sending(world, "incremental", at_most=changed, at_least=1)
    yield "backfill", sending(world, "full", at_most=0)
    yield "forced", sending(world, "resend", at_least=world.clients * 9 // 10)
    yield "cleared", sending(world, "cleared", at_least=world.clients * 9 // 10)
    yield "refilled", sending(world, "full", at_least=world.clients * 9 // 10)
    if baseline:
        yield "baseline", measure(world, "baseline")


def first_loads(world: World) -> Iterator[tuple[str, Measured]]:
    """The limit, a first load into an empty state, and the scan of a run after it."""
    world.start_over(store_only=True)
    yield "limit", measure(world, "limit")
    yield "first_load", sending(world, "incremental", at_least=world.clients * 9 // 10)
    yield "scan", measure(world, "scan")


def no_change(world: World) -> Measured:
    """A run after one that had nothing to do, either: the first one after a full run reads
    everything. Adds to the answer how long B2CORE has executed statements, `b2core_busy_ms`. Raises
    NotDoneError when tables were read, or what only rows need was loaded."""
    sending(world, "incremental", at_most=0)
    before = world.b2core_busy_ms()
    measured = sending(world, "incremental", at_most=0)
    measured.answer["b2core_busy_ms"] = world.b2core_busy_ms() - before
    if measured.answer["look"] != "nothing":
        raise NotDoneError(f"A run without changes has read B2CORE: {measured.answer['look']}")
    if loaded := measured.answer["for_rows"]:
        raise NotDoneError(f"A run without changes has loaded {', '.join(loaded)}")
    return measured


def sending(world: World, kind: str, *, at_most: int | None = None, at_least: int = 0) -> Measured:
    """Measure a run of the product that has to send so many contacts. Raises NotDoneError."""
    measured = measure(world, kind)
    sent = measured.answer["sent"]
    if measured.answer["rows"] != world.clients or sent < at_least:
        raise NotDoneError(f"A run of kind {kind} sent {sent} contacts, not {at_least}")
    if at_most is not None and sent > at_most:
        raise NotDoneError(f"A run of kind {kind} sent {sent} contacts, more than {at_most}")
    return measured


def time_growth(world: World, sizes: list[int], repetitions: int, say: Say) -> dict[int, Times]:
    """Limit and first load for each number of clients."""
    growth: dict[int, Times] = {}
    for clients in sizes:
        world.populate(clients)
        times: Times = defaultdict(list)
        for repetition in range(1, repetitions + 1):
            for name, measured in first_loads(world):
                times[name].append(measured)
                say(line(f"{clients:,} clients {repetition}/{repetitions} {name}", measured))
            times["no_change"].append(no_change(world))
        growth[clients] = times
    return growth


def line(what: str, measured: Measured) -> str:
    """One measurement for the console."""
    return (
        f"{what}: {measured.wall:.2f} s wall, CPU {measured.cpu:.2f} s ours, "
        f"{measured.postgres_cpu:.2f} s PostgreSQL, {measured.sendgrid_cpu:.2f} s emulator, "
        f"{measured.rss_mb:.0f} MB; others kept {measured.other_cores:.1f} cores busy"
    )
