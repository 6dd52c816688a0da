"""The URL paths of the pages and of Airflow's own. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode


@dataclass(frozen=True, slots=True)
class Link:
    """A link with its text; one `in_airflow` leaves the frame that the pages are shown in."""

    text: str
    href: str
    in_airflow: bool = False


@dataclass(frozen=True, slots=True)
class Links:
    """Paths below the prefixes under which the pages (`base`) and Airflow (`airflow`) are served.

    Names, DAG ids and run ids may hold any letter; they are quoted here.
    """

    base: str
    airflow: str

    @property
    def syncs(self) -> str:
        """The page of all syncs."""
        return f"{self.base}/syncs"

    def sync(self, name: str, said: Mapping[str, str] | None = None) -> str:
        """A sync's page; `said`: what a button has done."""
        query = {key: value for key, value in (said or {}).items() if value}
        return f"{self.syncs}/{_quoted(name)}{'?' + urlencode(query) if query else ''}"

    @property
    def new_sync(self) -> str:
        """The form of a new sync."""
        return f"{self.base}/new"

    def mapping(self, name: str) -> str:
        """The form of a sync's definition."""
        return f"{self.sync(name)}/mapping"

    def check(self, name: str) -> str:
        """The check of a sync's set-up."""
        return f"{self.sync(name)}/check"

    def do(self, name: str, action: str) -> str:
        """Where a button sends its form: "start", "pause" or "cancel"."""
        return f"{self.sync(name)}/{action}"

    def approval(self, dag_id: str, run_id: str) -> str:
        """Where Airflow asks a person about a DAG run's plan."""
        return f"{self.dag_run(dag_id, run_id)}/required_actions"

    def run(self, name: str, run_id: int) -> str:
        """A run's report."""
        return f"{self.sync(name)}/runs/{run_id}"

    def changes(
        self, name: str, run_id: int, query: Mapping[str, str] | None = None, file: str = ""
    ) -> str:
        """What a run changes, client by client; `file` is ".csv" or ".parquet"."""
        found = f"{self.run(name, run_id)}/changes{file}"
        return f"{found}?{urlencode(query)}" if query else found

    def full_run(self, name: str) -> str:
        """What a full run would send now, before it is started."""
        return f"{self.sync(name)}/full-run"

    def plan(self, name: str, run_id: int) -> str:
        """A run's plan, for whoever decides about it."""
        return f"{self.run(name, run_id)}/plan"

    def newest_plan(self, name: str) -> str:
        """The newest plan of a sync; posted to, it starts a run."""
        return f"{self.sync(name)}/plan"

    def to_do(self, name: str, query: Mapping[str, str] | None = None, file: str = "") -> str:
        """The clients with something to do; `file` is ".csv" or ".parquet"."""
        return f"{self.sync(name)}/to-do{file}{'?' + urlencode(query) if query else ''}"

    def clients(self, name: str) -> str:
        """The look-up of clients."""
        return f"{self.sync(name)}/clients"

    def client(self, name: str, client_id: int) -> str:
        """What is known of one client."""
        return f"{self.clients(name)}/{client_id}"

    def rejected(self, name: str, query: dict[str, str] | None = None, file: str = "") -> str:
        """The rejected clients, all or those that the query asks for; `file`: as of to_do."""
        return f"{self.sync(name)}/rejected{file}{'?' + urlencode(query) if query else ''}"

    def dropped(self, name: str, query: dict[str, str] | None = None, file: str = "") -> str:
        """The dropped values, all or those that the query asks for; `file`: as of to_do."""
        return f"{self.sync(name)}/dropped{file}{'?' + urlencode(query) if query else ''}"

    def suppressions(self, name: str, query: dict[str, str] | None = None, file: str = "") -> str:
        """Who gets no mail, all or those that the query asks for; `file` is ".csv"."""
        return f"{self.sync(name)}/suppressions{file}{'?' + urlencode(query) if query else ''}"

    def erasures(self, name: str, query: Mapping[str, str] | None = None) -> str:
        """Who was erased, without saying who it was."""
        return f"{self.sync(name)}/erasures{'?' + urlencode(query) if query else ''}"

    def verification(
        self, name: str, query: Mapping[str, object] | None = None, file: str = ""
    ) -> str:
        """The newest verification; `file` is ".csv"."""
        return f"{self.sync(name)}/verification{file}{'?' + urlencode(query) if query else ''}"

    def dag(self, dag_id: str) -> str:
        """A DAG in Airflow."""
        return f"{self.airflow}/dags/{_quoted(dag_id)}"

    def dag_run(self, dag_id: str, run_id: str) -> str:
        """A DAG run in Airflow."""
        return f"{self.dag(dag_id)}/runs/{_quoted(run_id)}"

    def task(self, dag_id: str, run_id: str, task_id: str, mapped: str = "") -> str:
        """A task of a DAG run in Airflow; `mapped` is "/mapped" or "/mapped/3" of a mapped one."""
        return f"{self.dag_run(dag_id, run_id)}/tasks/{_quoted(task_id)}{mapped}"


def _quoted(text: str) -> str:
    return quote(text, safe="")


def reason_query(
    field: str | None, reason: str | None, detail: str | None = None
) -> dict[str, str]:
    """The query of the page with what is rejected, or dropped, for this only."""
    given = {"field": field, "reason": reason, "detail": detail}
    return {name: value for name, value in given.items() if value}
