"""The index by which clients are found by their address.

It is made at the end of the first run, not by a migration: a first load writes addresses in no
order, and to put each into the index costs more than all the rest of its ledger row, eight times as
much as to make the index of all rows at once.
"""

from __future__ import annotations

import logging

from contact_sync.base.errors import RetryableError
from contact_sync.postgres.cursor import Cursor, one
from contact_sync.state import statements
from contact_sync.state.database import StateDatabase

log = logging.getLogger(__name__)
SQL = statements.load("address_index")


def index_addresses(state: StateDatabase) -> None:
    """Create the index if it is missing. Without it the look-ups read the whole ledger, and runs
    all of B2CORE, and find the same; so it waits for other syncs' writing for a few seconds only.
    """
    try:
        with state.transaction() as cursor:
            if one(cursor, SQL["may_create"])["answer"]:
                cursor.execute(SQL["wait_briefly"])
                cursor.execute(SQL["create_index"])
    except RetryableError as error:
        log.warning("The index of addresses can't be made now: %s. The next run makes it", error)


def is_there(cursor: Cursor) -> bool:
    """Whether clients are found by their address without reading the whole ledger."""
    return bool(one(cursor, SQL["is_there"])["answer"])
