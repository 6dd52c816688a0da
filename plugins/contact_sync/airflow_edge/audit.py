"""Who looked at whom: rows of Airflow's audit log (*Browse > Audit Log*, `GET /eventLogs`).

Airflow's own `action_logging` writes the query of a request, in which somebody may have typed an
address; these rows are written with `airflow.models.Log` as it does, and have what is named only.
What people do by Airflow's own API, such as the answer to an approval, it notes by itself.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any

from airflow.models.log import Log
from airflow.utils.session import create_session

from contact_sync.airflow_edge.access import Viewer
from contact_sync.config.definition import SyncDefinition


class Access(StrEnum):
    """What was done, as the log's column `event` has it."""

    LOOKED_UP = "contact_sync_look_up"  # one client
    SEARCHED = "contact_sync_search"  # the clients of an address; those that were found
    LISTED = "contact_sync_list"  # a page with addresses in full
    DOWNLOADED = "contact_sync_download"  # a CSV file of clients
    ERASED = "contact_sync_erase"  # a person was erased, or that was asked for


def note_access(viewer: Viewer, definition: SyncDefinition, what: Access, **details: Any) -> None:
    """Note it before the answer leaves, so that nothing is shown that isn't noted. `details`: ids
    and keys of clients, which list; never an address or another value.

    An error of Airflow's database is raised, and nothing is shown.
    """
    said = {"sync": definition.name, **details}
    with create_session(scoped=False) as session:
        session.add(
            Log(str(what), owner=viewer.user.get_name(), dag_id=definition.dag_id,
                extra=json.dumps(said))
        )  # fmt: skip
