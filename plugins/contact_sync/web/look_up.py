"""What a page asks B2CORE and SendGrid, which Airflow's API server need not be able to.

Where each process has only the connections that it needs, as in docker-compose.yaml, the API server
has the state database's alone: a page that asks for more then says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from contact_sync.base.errors import ConnectionMissing
from contact_sync.config.definition import SyncDefinition

if TYPE_CHECKING:
    from contact_sync.sendgrid.api import SendGridApi
    from contact_sync.sync import Databases


@contextmanager
def asking_b2core(name: str) -> Iterator[Databases]:
    """The databases of the sync called `name`. ConnectionMissing says whose connection it is."""
    from contact_sync.airflow_edge.handles import open_databases

    with _of_this_server("B2CORE"), open_databases(name) as opened:
        yield opened


@contextmanager
def asking_sendgrid(definition: SyncDefinition) -> Iterator[SendGridApi]:
    """The sync's SendGrid. ConnectionMissing says whose connection it is."""
    from contact_sync.airflow_edge.handles import open_sendgrid

    with _of_this_server("SendGrid"), open_sendgrid(definition) as opened:
        yield opened


@contextmanager
def _of_this_server(whom: str) -> Iterator[None]:
    try:
        yield
    except ConnectionMissing as error:
        raise ConnectionMissing(
            f"This asks {whom}, and Airflow's API server, which makes this page, has no connection "
            f"for that. Runs go on: their workers have connections of their own. {error}, for the "
            f"API server; or ask on a worker, with the command `explain`"
        ) from None
