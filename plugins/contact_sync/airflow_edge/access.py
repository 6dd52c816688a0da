"""Who asks for a page, and what Airflow's auth manager lets them see.

Airflow's own dependency finds the user: the browser's cookie (also inside Airflow's frame) or a
Bearer token. Without a valid one it answers 401 before a page's function is called.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import (
    AccessView,
    ConnectionDetails,
    DagAccessEntity,
    DagDetails,
)
from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.configuration import conf
from airflow.models.connection import Connection
from airflow.models.dag import DagModel
from fastapi import Depends, HTTPException

from contact_sync.config.definition import SyncDefinition


@dataclass(frozen=True, slots=True)
class Powers:
    """What a viewer may do with a DAG beside reading it: start runs, pause it, cancel a run, and
    answer what a run asks a person."""

    start: bool
    pause: bool
    cancel: bool
    decide: bool

    @property
    def lacking(self) -> str:
        """What of the buttons isn't allowed, such as "start or cancel"; "" = nothing."""
        buttons = ("start", "pause", "cancel")
        *most, last = ["", *(name for name in buttons if not getattr(self, name))]
        most = most[1:]
        return f"{', '.join(most)} or {last}" if most else last


@dataclass(frozen=True, slots=True)
class Viewer:
    """The user who asks; every answer comes from Airflow's auth manager."""

    user: Any

    def may_read(self, dag_id: str) -> bool:
        """Whether the DAG and its runs may be seen."""
        return self._dag(dag_id, "GET", DagAccessEntity.RUN)

    def may_trigger(self, dag_id: str) -> bool:
        """Whether a run of the DAG may be started."""
        return self._dag(dag_id, "POST", DagAccessEntity.RUN)

    def powers(self, dag_id: str) -> Powers:
        """What of a DAG may be done; a run is cancelled by marking it as failed."""
        return Powers(
            start=self.may_trigger(dag_id),
            pause=self._dag(dag_id, "PUT", None),
            cancel=self._dag(dag_id, "PUT", DagAccessEntity.RUN),
            decide=self.may_decide(dag_id),
        )

    def may_decide(self, dag_id: str) -> bool:
        """Whether the viewer may answer what a run of the DAG asks a person."""
        return self._dag(dag_id, "PUT", DagAccessEntity.HITL_DETAIL)

    def may_see_audit_log(self, dag_id: str) -> bool:
        """Whether it may be told who did what to the DAG, as Airflow's audit log does."""
        return self._dag(dag_id, "GET", DagAccessEntity.AUDIT_LOG)

    def may_see_addresses(self, definition: SyncDefinition) -> bool:
        """Whether e-mail addresses show in full; everybody else sees them masked.

        That is who may read the sync's B2CORE connection in Airflow: with it they could read the
        clients themselves. A plain viewer can't.
        """
        details = ConnectionDetails(
            conn_id=definition.connections.b2core, team_name=_team(definition.dag_id)
        )
        return get_auth_manager().is_authorized_connection(
            method="GET", details=details, user=self.user
        )

    def may_see_import_errors(self) -> bool:
        """Whether the errors of broken definitions show, as Airflow's import errors do."""
        return get_auth_manager().is_authorized_view(
            access_view=AccessView.IMPORT_ERRORS, user=self.user
        )

    def may_edit_connections(self) -> bool:
        """Whether connections may be edited: who may, is offered the form of a sync."""
        return get_auth_manager().is_authorized_connection(method="PUT", user=self.user)

    def may_edit_connection(self, conn_id: str) -> bool:
        """Whether this connection may be edited, and so be looked through."""
        team = Connection.get_team_name(conn_id) if _has_teams() else None
        details = ConnectionDetails(conn_id=conn_id, team_name=team)
        return get_auth_manager().is_authorized_connection(
            method="PUT", details=details, user=self.user
        )

    def require_read(self, dag_id: str) -> None:
        """Answer 403 unless the DAG and its runs may be seen, also when there is no such DAG."""
        if not self.may_read(dag_id):
            raise HTTPException(403)

    def _dag(self, dag_id: str, method: Any, entity: DagAccessEntity | None) -> bool:
        return get_auth_manager().is_authorized_dag(
            method=method,
            access_entity=entity,
            details=DagDetails(id=dag_id, team_name=_team(dag_id)),
            user=self.user,
        )


def _team(dag_id: str) -> str | None:
    """The DAG's team, which only a multi-team Airflow has to look up."""
    return DagModel.get_team_name(dag_id) if _has_teams() else None


def _has_teams() -> bool:
    return bool(conf.getboolean("core", "multi_team"))


def _viewer(user: GetUserDep) -> Viewer:
    return Viewer(user)


ViewerDep = Annotated[Viewer, Depends(_viewer)]
"""The first parameter of every page after the request."""
