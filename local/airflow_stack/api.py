"""The few calls of Airflow's REST API that the demo and the tests make."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import requests

from local.airflow_stack.settings import LOGIN, PASSWORD

CALL_SECONDS = 30.0
HEALTH_SECONDS = 5.0
PAGE = 100  # Airflow's own upper limit
TRIES = 3
PAUSE_SECONDS = 1.0
NOT_FOUND = 404


class AirflowApiError(Exception):
    """Airflow did not answer, or refused; says which call, the status and Airflow's words."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class AirflowApi:
    """Airflow's REST API as the administrator."""

    def __init__(self, url: str, *, explain: Callable[[], None]) -> None:
        """Speak to the server at `url`, which need not be up yet.

        `explain` is called when it does not answer, and raises if it knows why.
        """
        self.url = url
        self._explain = explain
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy: the server is on this machine

    def health(self) -> dict[str, Any]:
        """Return what the health page says of each part of Airflow."""
        return self.send("GET", "/api/v2/monitor/health", tries=1, seconds=HEALTH_SECONDS)

    def log_in(self) -> None:
        """Fetch the token that every further call carries; it lasts for a day."""
        answer = self.send("POST", "/auth/token", {"username": LOGIN, "password": PASSWORD})
        self._session.headers["Authorization"] = f"Bearer {answer['access_token']}"

    def create_pool(self, name: str, *, slots: int) -> None:
        """Create a pool, which bounds how many of its tasks run at once."""
        self.send("POST", "/api/v2/pools", {"name": name, "slots": slots}, tries=1)

    def create_connection(self, conn_id: str, conn_type: str, **fields: Any) -> None:
        """Store a connection, as Admin > Connections does."""
        body = {"connection_id": conn_id, "conn_type": conn_type, **fields}
        self.send("POST", "/api/v2/connections", body, tries=1)

    def knows_dag(self, dag_id: str) -> bool:
        """Return whether the dag processor has delivered this DAG."""
        try:
            self.send("GET", f"/api/v2/dags/{quote(dag_id)}")
        except AirflowApiError as error:
            if error.status == NOT_FOUND:
                return False
            raise
        return True

    def import_errors(self) -> list[str]:
        """Return the errors of DAG files, each with its file."""
        answer = self.send("GET", "/api/v2/importErrors")
        return [f"{e['filename']}:\n{e['stack_trace']}" for e in answer["import_errors"]]

    def unpause(self, dag_id: str) -> None:
        """Let the DAG's runs execute; a paused DAG's runs wait, triggered ones too."""
        self.send("PATCH", f"/api/v2/dags/{quote(dag_id)}", {"is_paused": False})

    def trigger(self, dag_id: str, conf: dict[str, Any]) -> str:
        """Start a run and return its id."""
        body = {"logical_date": None, "conf": conf}
        # One try: a second one could start a second run.
        answer = self.send("POST", f"/api/v2/dags/{quote(dag_id)}/dagRuns", body, tries=1)
        return str(answer["dag_run_id"])

    def run_state(self, dag_id: str, run_id: str) -> str:
        """Return the state of a run: queued, running, success or failed."""
        return str(self.run(dag_id, run_id)["state"])

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """Return a run as Airflow describes it."""
        return self.send("GET", f"/api/v2/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}")

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """Return a DAG's newest runs, newest first, as Airflow describes them."""
        path = f"/api/v2/dags/{quote(dag_id)}/dagRuns?order_by=-run_after&limit={PAGE}"
        return list(self.send("GET", path)["dag_runs"])

    def run_ids(self, dag_id: str) -> list[str]:
        """Return the ids of a DAG's newest runs, newest first."""
        return [str(run["dag_run_id"]) for run in self.runs(dag_id)]

    def result(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """Return what a task of a run returned."""
        run = f"/api/v2/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}"
        path = f"{run}/taskInstances/{quote(task_id)}/xcomEntries/return_value"
        return self.send("GET", path)["value"]

    def question(self, dag_id: str, run_id: str, task_id: str) -> dict[str, Any]:
        """Return what a task asks a person: subject, body, options."""
        return self.send("GET", self._question(dag_id, run_id, task_id))

    def answer(self, dag_id: str, run_id: str, task_id: str, option: str) -> None:
        """Answer as the buttons under Required Actions do."""
        body = {"chosen_options": [option], "params_input": {}}
        self.send("PATCH", self._question(dag_id, run_id, task_id), body, tries=1)

    def _question(self, dag_id: str, run_id: str, task_id: str) -> str:
        run = f"/api/v2/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}"
        return f"{run}/taskInstances/{quote(task_id)}/-1/hitlDetails"

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Return all task instances of a run, mapped ones too, as Airflow describes them."""
        return list(self._pages(dag_id, run_id))

    def _pages(self, dag_id: str, run_id: str) -> Iterator[dict[str, Any]]:
        path = f"/api/v2/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}/taskInstances"
        total, seen = 1, 0
        while seen < total:
            answer = self.send("GET", f"{path}?limit={PAGE}&offset={seen}")
            rows = answer["task_instances"]
            yield from rows
            seen += len(rows)
            total = answer["total_entries"] if rows else seen

    def send(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        tries: int = TRIES,
        seconds: float = CALL_SECONDS,
    ) -> dict[str, Any]:
        """Make a call, again after a lost connection or a server error, and return its JSON."""
        for attempt in range(1, tries + 1):
            try:
                response = self._session.request(
                    method, self.url + path, json=body, timeout=seconds
                )
            except requests.RequestException as error:
                self._explain()
                problem = AirflowApiError(f"{method} {path}: {error}")
            else:
                if response.ok:
                    return dict(response.json()) if response.content else {}
                said = response.text[:500]
                problem = AirflowApiError(
                    f"{method} {path}: {response.status_code} {said}", response.status_code
                )
            if attempt == tries or (problem.status or 500) < 500:
                raise problem
            time.sleep(PAUSE_SECONDS)
        raise AssertionError("the last attempt returns or raises")
