"""A sync as a page sees it: its definition, its state database, and whether addresses show.

The API server looks connections up where tasks do: environment, secrets backends, Airflow's own
table.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import HTTPException

from contact_sync.airflow_edge.access import Viewer
from contact_sync.airflow_edge.dsn import found, postgres_dsn
from contact_sync.base.masking import masked
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.files import Definitions, read_definitions
from contact_sync.state.database import StateDatabase


@dataclass(frozen=True, slots=True)
class SeenSync:
    """A sync that the viewer may read."""

    definition: SyncDefinition
    state: StateDatabase
    sees_addresses: bool
    may_trigger: bool
    may_decide: bool

    @property
    def name(self) -> str:
        """The definition's name."""
        return self.definition.name

    def shown(self, address: str | None) -> str:
        """An e-mail address as this viewer may see it."""
        return (address or "") if self.sees_addresses else masked(address)


def readable_sync(viewer: Viewer, name: str) -> SeenSync:
    """The sync called `name`.

    Answers 403 when the viewer may not read its DAG, 404 when there is none, and raises ConfigError
    when its state connection is missing or wrong.
    """
    return seen(viewer, readable_definitions(viewer, name).by_name[name])


def readable_definitions(viewer: Viewer, name: str) -> Definitions:
    """All definitions; the one called `name` is among them, and the viewer may read its DAG. For
    pages that need no state database. Answers 403 and 404 as `readable_sync` does."""
    viewer.require_read(f"contact_sync_{name}")
    found = read_definitions()
    if name not in found.by_name:
        raise HTTPException(404, f"There is no sync of this name, or its definition is broken: "
                                 f"{name!r}. The sync page lists all of them.")  # fmt: skip
    return found


def seen(viewer: Viewer, definition: SyncDefinition) -> SeenSync:
    """A sync whose DAG the viewer may read, as was checked before."""
    return SeenSync(
        definition,
        state_of(definition),
        viewer.may_see_addresses(definition),
        viewer.may_trigger(definition.dag_id),
        viewer.may_decide(definition.dag_id),
    )


def state_of(definition: SyncDefinition) -> StateDatabase:
    """The state database of a sync. Raises ConfigError when its connection is missing or wrong."""
    with found(definition.name):
        return StateDatabase(postgres_dsn(definition.connections.state))
