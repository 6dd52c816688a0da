"""What people, other tools and accidents do to an account, or to what the sync knows of it.

Each damage is done from outside, as it happens in life: by calls to SendGrid and by SQL. It names
the verdicts that a verification must come to; that everything is right again is judged by the
oracle (`world.assert_converged`), which shares no code with the package.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from local.sendgrid_emulator.process import Emulator
from tests.support.world import LIST_NAME, World

CLIENTS = 8
"""So many clients `people` makes; number 8 has an address and nothing else."""
FOREIGN = "foreign@example.com"


@dataclass(frozen=True, slots=True)
class Damage:
    """One kind of damage; `verdicts`: verdict → how many contacts a verification finds of it, as
    soon as it is done. `run_first`: an ordinary run sees to it, and a verification only then."""

    name: str
    do: Callable[[World], None]
    verdicts: dict[str, int]
    run_first: bool = False
    rebuild: bool = False
    unlisted: tuple[str, ...] = ()
    """Who is off the list after the repair, and stays in the account."""


def people(world: World) -> list[str]:
    """Fill B2CORE and SendGrid, and add contacts that are nobody's; returns the addresses."""
    emails = [f"client{number}@example.com" for number in range(1, CLIENTS + 1)]
    for email in emails[:-1]:
        world.add(email, first_name="Zoë", last_name="Lang", status_id=1, address={"city": "Bern"})
    world.add(emails[-1])
    world.emulator.admin.put_contacts({"email": "off." + FOREIGN, "city": "Theirs"})
    put(world, FOREIGN, city="Theirs")
    world.run()
    return emails


def put(world: World, email: str, *, listed: bool = True, **values: object) -> None:
    """Make or edit a contact as somebody at SendGrid does, and wait until it shows."""
    lists = [world.list_id] if listed else []
    world.emulator.admin.put_contacts({"email": email, **values}, list_ids=lists)
    wait(world.emulator)


def wait(emulator: Emulator) -> None:
    """Until SendGrid's jobs are over, and their effects show."""
    until = time.monotonic() + 30
    while any(job["status"] == "pending" for job in emulator.admin.jobs()):
        assert time.monotonic() < until, "a job of the emulator doesn't end"
        time.sleep(0.01)


def remove(world: World, *emails: str, list_only: bool = False) -> None:
    """Delete contacts, or take them off the list, as somebody at SendGrid does."""
    contacts = world.contacts()
    idents = ",".join(contacts[email]["id"] for email in emails)
    path = f"contacts?ids={idents}"
    if list_only:
        path = f"lists/{world.list_id}/contacts?contact_ids={idents}"
    world.delete_at_sendgrid(path)
    wait(world.emulator)


def lose_state(world: World) -> None:
    """The state database is a new one."""
    tables = world.state(
        """SELECT relname FROM pg_class WHERE relnamespace = 'contact_sync'::regnamespace
           AND relkind = 'r' AND relname <> 'alembic_version'"""
    )
    names = ", ".join(f"contact_sync.{name}" for (name,) in tables)
    world.state(f"TRUNCATE {names} RESTART IDENTITY")


def _address(number: int) -> str:
    return f"client{number}@example.com"


def _edited(world: World) -> None:
    put(world, _address(1), first_name="Eve")
    put(world, _address(2), city="Elsewhere", last_name="Other")


def _cleared(world: World) -> None:
    put(world, _address(1), first_name="", last_name="")


def _filled(world: World) -> None:
    put(world, _address(CLIENTS), first_name="Typed", city="Typed")


def _deleted(world: World) -> None:
    remove(world, _address(1), _address(2))


def _unlisted(world: World) -> None:
    remove(world, _address(3), list_only=True)


def _upper_case(world: World) -> None:
    put(world, _address(1).upper(), first_name="Shouted")


def _former_put_back(world: World) -> None:
    """A client has moved, and its former contact is off the list; an older tool puts it there."""
    world.redefine(on_address_change="unlist")
    world.edit(1, email="moved@example.com")
    world.run()
    put(world, _address(1), first_name="Zombie")


def _gone_put_back(world: World) -> None:
    """B2CORE has deleted a client; somebody puts it on the list again."""
    world.sql("DELETE FROM b2core.client_addresses WHERE client_id = 2")
    world.sql("DELETE FROM b2core.clients WHERE id = 2")
    for _ in range(3):
        world.run()
    put(world, _address(2))


def _dropped(world: World) -> None:
    """A job leaves rows out and says that it is completed."""
    world.emulator.admin.job_fault("drops_rows", rows=2)
    for client in (1, 2, 3):
        world.edit(client, first_name="Later")
    world.run()


def _list_rebuilt(world: World) -> None:
    """Deleted and made again under its name, with half of the people."""
    world.delete_at_sendgrid(f"lists/{world.list_id}")
    world.list_id = world.emulator.admin.create_list(LIST_NAME)
    for number in range(1, CLIENTS // 2 + 1):
        put(world, _address(number))


def _field_remade(world: World) -> None:
    """Deleted with all its values, and made again."""
    world.recreate_field("Status", "Text")


def _state_lost(world: World) -> None:
    """The state database is a new one; meanwhile somebody edits a contact."""
    lose_state(world)
    put(world, _address(3), first_name="Eve")


DAMAGES = (
    Damage("values edited", _edited, {"different": 2}),
    Damage("values cleared", _cleared, {"different": 1}),
    Damage("values typed in where B2CORE has none", _filled, {"different": 1}),
    Damage("deleted", _deleted, {"missing": 2}),
    Damage("unlisted", _unlisted, {"off_list": 1}),
    Damage("written in capitals", _upper_case, {"different": 1}),
    Damage(
        "a former address put back",
        _former_put_back,
        {"former_on_list": 1},
        unlisted=("client1@example.com",),
    ),
    Damage(
        "a deleted client put back",
        _gone_put_back,
        {"deleted_on_list": 1},
        unlisted=("client2@example.com",),
    ),
    Damage("a job that dropped rows", _dropped, {}, run_first=True),
    Damage("a list rebuilt by hand", _list_rebuilt, {}, run_first=True),
    Damage("a field deleted and made again", _field_remade, {}, run_first=True),
    Damage("the state database lost", _state_lost, {"different": 1}, rebuild=True),
)
