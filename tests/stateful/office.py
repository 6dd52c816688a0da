"""The back office of a history, and what a person did at SendGrid before it began."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from typing import Any, LiteralString

import psycopg
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from local.b2core_demo.rows import add_address, add_client, add_phone
from tests.stateful import child
from tests.stateful.drawn import CAPTIONS, CITIES, EMAILS, LAGS, NAMES, PHONES, SWITCHES, WHO
from tests.support.world import World

OPTED_OUT = "opted out"
ALWAYS_THERE, SHARED_ADDRESS = "stays@example.com", "two@example.com"
QUARANTINE_MINUTES = 0.01  # longer than the slowest job that is drawn
JOB_HOURS = 15 / 3600
"""An upload that was announced and never left is waited for so long."""
EDIT_OPTIONS = "-c lock_timeout=50ms"  # a row that the open transaction holds is left alone


class BackOffice(RuleBasedStateMachine):
    """Edits in any order. `fresh` gives a world with an empty B2CORE, state and account."""

    fresh: Any
    """Set by the test: a function without arguments that returns a World."""

    incremental_only = False

    def __init__(self) -> None:
        super().__init__()
        self.world: World = self.fresh()
        self.broke_jobs = False
        self.late: psycopg.Connection | None = None
        self.zombie: BaseProcess | None = None
        self.take_over = False
        self.fresh_addresses = 0
        self.orphans: set[str] = set()  # contacts that neither B2CORE nor the sync knows of
        self.lag, self.every = 0.0, 0
        self.patch = pytest.MonkeyPatch()
        self.notes_id = self.world.emulator.admin.create_field("Notes", "Text")
        self.vip = self.world.emulator.admin.create_list("vip")

    @initialize(
        lane=st.sampled_from(["auto", "csv"]), clients=st.lists(EMAILS, max_size=4),
        imported=st.booleans(), switches=SWITCHES, lag=LAGS, every=st.sampled_from([2, 4, 8, 100]),
    )  # fmt: skip
    def begin(
        self, lane: str, clients: list[str | None], imported: bool, switches: dict[str, Any],
        lag: float, every: int,
    ) -> None:  # fmt: skip
        """One client that always stays, perhaps on the list already by an older import, and some
        others; and a SendGrid that does what nobody knows of it one way or the other."""
        self.world.redefine(
            lane=lane, deadlines={"job_hours": JOB_HOURS, "quarantine_minutes": QUARANTINE_MINUTES}
        )
        self.lag, self.every = lag, every
        self.world.emulator.admin.settings(search_lag=lag, **switches)
        child.hurry(self.patch, lag)
        if imported:
            contact, listed = {"email": ALWAYS_THERE}, [self.world.list_id]
            self.world.emulator.admin.put_contacts(contact, list_ids=listed)
            self.until(lambda: ALWAYS_THERE in self.listed())
            self.orphans.add(ALWAYS_THERE)
        for email in (ALWAYS_THERE, *clients):
            self.register(email)

    def listed(self) -> set[str]:
        """The addresses on the sync's list."""
        contacts = self.world.contacts().items()
        return {email for email, found in contacts if self.world.list_id in found["list_ids"]}

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for what was done at SendGrid by hand."""
        deadline = time.monotonic() + child.JOIN_SECONDS
        while not is_so():
            assert time.monotonic() < deadline
            time.sleep(child.PAUSE)

    def may_return(self) -> None:
        """Something happens after which a contact that was removed by hand may come back."""

    # A back office -------------------------------------------------------------------------------

    @contextlib.contextmanager
    def office(self) -> Iterator[psycopg.Connection]:
        """One transaction of a back office, given up when another one holds the row."""
        with (
            contextlib.suppress(psycopg.errors.LockNotAvailable),
            psycopg.connect(self.world.b2core_url, options=EDIT_OPTIONS) as connection,
        ):
            yield connection

    def edit(self, statement: LiteralString, **values: Any) -> None:
        """One statement of a back office."""
        with self.office() as connection:
            connection.execute(statement, values)

    def ids(self) -> list[int]:
        """Of all clients."""
        return [row[0] for row in self.world.sql("SELECT id FROM b2core.clients ORDER BY id")]

    def client(self, n: int) -> int:
        """One of the clients that are there."""
        ids = self.ids()
        return ids[n % len(ids)]

    @rule(email=EMAILS)
    def register(self, email: str | None) -> None:
        """A new client."""
        self.may_return()
        with self.office() as connection:
            add_client(connection, email=email)

    @rule(n=WHO, name=NAMES, bumped=st.booleans())
    def rename(self, n: int, name: str | None, bumped: bool) -> None:
        """With or without a new time stamp."""
        self.edit(
            """UPDATE b2core.clients SET first_name = %(name)s,
                   updated_at = CASE WHEN %(bumped)s THEN now() ELSE updated_at END
               WHERE id = %(id)s""",
            id=self.client(n), name=name, bumped=bumped,
        )  # fmt: skip

    @rule(n=WHO, email=EMAILS)
    def move(self, n: int, email: str | None) -> None:
        """A new address, perhaps somebody's."""
        self.may_return()
        change = "UPDATE b2core.clients SET email = %(email)s WHERE id = %(id)s AND id <> 1"
        self.edit(change, id=self.client(n), email=email)

    @rule(n=WHO, m=WHO)
    def swap(self, n: int, m: int) -> None:
        """Two clients exchange their addresses."""
        self.may_return()
        self.edit(
            """UPDATE b2core.clients AS c SET email = other.email FROM b2core.clients AS other
               WHERE (c.id, other.id) IN ((%(n)s, %(m)s), (%(m)s, %(n)s))""",
            n=self.client(n), m=self.client(m),
        )  # fmt: skip

    @rule(n=WHO, m=WHO)
    def share(self, n: int, m: int) -> None:
        """A client gets another one's address."""
        self.may_return()
        self.edit(
            """UPDATE b2core.clients AS c SET email = other.email FROM b2core.clients AS other
               WHERE c.id = %(n)s AND c.id <> 1 AND other.id = %(m)s""",
            n=self.client(n), m=self.client(m),
        )  # fmt: skip

    @rule(n=WHO, out=st.booleans())
    def opt_one_of_an_address(self, n: int, out: bool) -> None:
        """One of those who share an address, out or in again."""
        query = """SELECT id FROM b2core.clients WHERE email IN (
                       SELECT email FROM b2core.clients GROUP BY email HAVING count(*) > 1)
                   ORDER BY id"""
        if ids := [row[0] for row in self.world.sql(query)]:
            self.may_return()
            change = "UPDATE b2core.clients SET last_name = %(name)s WHERE id = %(id)s"
            self.edit(change, id=ids[n % len(ids)], name=OPTED_OUT if out else "Lee")

    @rule(n=WHO, out=st.booleans())
    def opt(self, n: int, out: bool) -> None:
        """Out, or in again."""
        self.may_return()
        change = "UPDATE b2core.clients SET last_name = %(name)s WHERE id = %(id)s"
        self.edit(change, id=self.client(n), name=OPTED_OUT if out else "Lee")

    @rule(n=WHO, phone=PHONES)
    def add_phone(self, n: int, phone: str) -> None:
        """The client's own row stays as it is."""
        with self.office() as connection:
            add_phone(connection, self.client(n), phone)

    @rule(n=WHO, city=CITIES)
    def add_city(self, n: int, city: str | None) -> None:
        """The client's own row stays as it is."""
        with self.office() as connection:
            add_address(connection, self.client(n), city=city, line1="Weg 1")

    @rule(n=WHO)
    def drop_phones(self, n: int) -> None:
        """Deleted rows leave no trace that an incremental run sees."""
        if not self.incremental_only:
            self.edit(
                "DELETE FROM b2core.client_phones WHERE client_id = %(id)s", id=self.client(n)
            )

    @rule(caption=CAPTIONS)
    def rename_level(self, caption: str) -> None:
        """A lookup value, which everyone shows."""
        change = "UPDATE b2core.verification_levels SET caption = %(caption)s WHERE id = 1"
        self.edit(change, caption=caption)

    @rule(n=WHO)
    def delete(self, n: int) -> None:
        """Any but the first: that B2CORE is empty is believed by nobody."""
        self.may_return()
        self.edit("DELETE FROM b2core.clients WHERE id = %(id)s AND id <> 1", id=self.client(n))

    @precondition(lambda self: self.late is None)
    @rule(n=WHO, name=st.sampled_from(["Late", "Later", None]))
    def edit_without_commit(self, n: int, name: str | None) -> None:
        """A transaction that stays open while runs read. Not of an address: each run sees all."""
        who = self.client(n)
        self.late = psycopg.connect(self.world.b2core_url)
        self.late.execute("UPDATE b2core.clients SET first_name = %s WHERE id = %s", (name, who))

    @precondition(lambda self: self.late is not None)
    @rule(commit=st.booleans())
    def end_transaction(self, commit: bool) -> None:
        """It commits late, or not at all."""
        assert self.late is not None
        (self.late.commit if commit else self.late.rollback)()
        self.late.close()
        self.late = None
