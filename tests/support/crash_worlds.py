"""Worlds for crash tests: loaded, refused by SendGrid, with suppressed addresses."""

from __future__ import annotations

from pathlib import Path

from tests.support.consents import opt_out_column
from tests.support.erased import ask, outlast_the_search, states, traces
from tests.support.world import World


def loaded(world: World) -> None:
    """The seed is in SendGrid, and of each kind of change there is one."""
    world.seed()
    world.run()
    world.change()


def poisoned(world: World) -> None:
    """SendGrid fails every import with one of the contacts."""
    for n in range(1, 5):
        world.add(f"client{n}@example.com")
    world.emulator.admin.settings(poison_emails=["client3@example.com"])


def cured(world: World) -> None:
    """The contact changes, and SendGrid takes it."""
    world.emulator.admin.settings(poison_emails=[])
    world.edit(3, first_name="Cured")


def refused(world: World) -> None:
    """SendGrid refuses the call for three contacts: one isn't named, one is, one for a value."""
    for n in range(1, 7):
        world.add(f"client{n}@example.com", first_name="bad" if n == 5 else "Ann")
    world.emulator.admin.settings(
        refused_calls=["client2@example.com"],
        refused_contacts={"client4@example.com": "email '{email}' is not valid"},
        refused_values={"first_name": ["bad"]}, refused_values_by="call",
    )  # fmt: skip


def no_longer_refused(world: World) -> None:
    """The contacts change, and SendGrid takes them."""
    world.emulator.admin.settings(refused_calls=[], refused_contacts={}, refused_values={})
    world.sql("UPDATE b2core.clients SET first_name = 'Taken'")


def short_counts(world: World) -> None:
    """The job's counts won't add up."""
    world.seed()
    world.emulator.admin.job_fault("short_counts", job="json")


def reading_suppressions(world: World) -> None:
    """An address has bounced, and the definition asks who gets no mail."""
    loaded(world)
    world.emulator.admin.suppress("bounced@example.com", kind="bounces")
    world.redefine(suppressions={})


def suppressions_are_read(world: World) -> None:
    """It is known, once."""
    found = "SELECT kind, count(*) FROM contact_sync.suppression GROUP BY kind"
    assert world.state(found) == [("bounce", 1)]


def asked_to_erase(world: World) -> None:
    """Two clients are in SendGrid, and somebody asked for the erasure of one."""
    world.add("ann@example.com")
    world.add("bob@example.com")
    world.run()
    ask(world, email="ann@example.com")
    outlast_the_search(world)


def nobody_left(world: World) -> None:
    """The erasure is finished, and nothing is left of the person."""
    assert list(states(world).values()) == ["finished"]
    assert traces(world, "ann@example.com") == []
    assert world.emulator.admin.erased() == ["ann@example.com"]


def withdrawn(world: World) -> None:
    """A client has opted out in B2CORE, and the definition has SendGrid told."""
    copy = Path(world.sql_folder).parent / "opt_outs"
    world.sql_folder = opt_out_column(world.sql_folder, copy)
    world.redefine(suppress_excluded=True)
    for n in range(1, 4):
        world.add(f"client{n}@example.com")
    world.run()
    world.edit(2, last_name="opted out")
    world.edit(3, first_name="Changed")


def unsubscribed_once(world: World) -> None:
    """It is unsubscribed, nobody else is, and nothing is left to do."""
    assert set(world.emulator.admin.suppressions()) == {"client2@example.com"}
    assert world.state("SELECT * FROM contact_sync.suppression_due WHERE NOT shown") == []
