"""Sessions that write into B2CORE at random, beside each other."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.support.connections import COUNT_AT_ONCE

ADDRESSES = [None, "no address", *(f"person{n}@example.com" for n in range(7))]
EDITS = {
    "INSERT INTO b2core.clients (email) VALUES (%(email)s)": 3,
    "UPDATE b2core.clients SET email = %(email)s WHERE id = %(id)s": 4,
    "UPDATE b2core.clients SET first_name = 'Ann' WHERE id = %(id)s": 3,
    "UPDATE b2core.clients SET last_name = 'opted out' WHERE id = %(id)s": 2,
    "UPDATE b2core.clients SET last_name = 'Lee' WHERE last_name = 'opted out'": 1,
    "UPDATE b2core.clients SET email = %(email)s WHERE id IN (%(id)s, %(other)s)": 1,
    "DELETE FROM b2core.clients WHERE id = %(id)s": 1,
    "DELETE FROM b2core.client_phones WHERE client_id = %(id)s": 1,
    "UPDATE b2core.client_phones SET client_id = %(other)s WHERE client_id = %(id)s": 2,
    "INSERT INTO b2core.client_phones (client_id, phone)"
    " SELECT id, '1' FROM b2core.clients WHERE id = %(id)s": 2,
    "INSERT INTO b2core.client_addresses (client_id, type, country_id)"
    " SELECT id, 'legal', 1 FROM b2core.clients WHERE id = %(id)s": 2,
    "UPDATE b2core.client_addresses SET city = 'Bern' WHERE client_id = %(id)s": 1,
    "UPDATE b2core.countries SET name = name || '.' WHERE id = 1": 1,
    "UPDATE b2core.client_statuses SET name = name || '.' WHERE id = %(few)s": 1,
}  # fmt: skip
"""Statement → how often it is drawn."""
RELOADS = (
    "CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT * FROM b2core.clients;"
    "TRUNCATE b2core.clients CASCADE;"
    "INSERT INTO b2core.clients SELECT * FROM kept",
    "CREATE TABLE b2core.again (LIKE b2core.client_phones INCLUDING ALL);"
    "INSERT INTO b2core.again SELECT * FROM b2core.client_phones;"
    "SELECT setval(pg_get_serial_sequence('b2core.again', 'id'), 1 + max(id)) FROM b2core.again;"
    "DROP TABLE b2core.client_phones;"
    "ALTER TABLE b2core.again RENAME TO client_phones;"
    "GRANT SELECT ON b2core.client_phones TO contact_sync_reader",
)
LOCKED = (psycopg.errors.LockNotAvailable, psycopg.errors.ForeignKeyViolation)


@dataclass
class Writers:
    """Three sessions of B2CORE: whose writes count at once, whose count late, and one that
    commits late. `uncounted`: something is committed and not counted."""

    prompt: psycopg.Connection[Any]
    lagging: psycopg.Connection[Any]
    slow: psycopg.Connection[Any]
    uncounted: bool = False

    def edit(self, rng: random.Random) -> None:
        """One statement of one of them; none if another one is in its way."""
        who = rng.choice(["prompt", "prompt", "prompt", "lagging", "slow"])
        session: psycopg.Connection = getattr(self, who)
        statement = rng.choices(list(EDITS), list(EDITS.values()))[0]
        values = {"email": rng.choice(ADDRESSES), "id": rng.randint(1, 14),
                  "other": rng.randint(1, 14), "few": rng.randint(1, 3)}  # fmt: skip
        session.execute("SELECT 1")  # begins a transaction, if none is open
        try:
            with session.transaction():  # a savepoint
                session.execute(statement, values)
        except LOCKED:
            pass
        if who == "prompt":
            self.count(session)
        elif who == "lagging":
            session.commit()
            self.uncounted = True

    def reload(self, rng: random.Random) -> None:
        """A table is emptied and filled again, or swapped; nobody else is at work then."""
        self.end()
        self.prompt.execute(rng.choice(RELOADS))
        self.count(self.prompt)

    def end(self) -> None:
        """All is committed and counted."""
        for session in (self.slow, self.lagging, self.prompt):
            self.count(session)
        self.uncounted = False

    @staticmethod
    def count(session: psycopg.Connection[Any]) -> None:
        """Commit, and hand the counts in."""
        session.execute(COUNT_AT_ONCE)
        session.commit()


def writer(url: str) -> psycopg.Connection[Any]:
    """A session of B2CORE that gives way to others."""
    session = psycopg.connect(url)
    session.execute("SET lock_timeout = '10ms'")
    session.commit()
    return session
