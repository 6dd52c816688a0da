"""docs/first-connection.md is followed, command by command, to the first load of a foreign schema.

Once in this process, where each command costs little, and once as a person does it: in bash, in an
empty clone, with a new Airflow. The connections are stored in Airflow's database.
"""

from __future__ import annotations

import io
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from airflow.cli.cli_parser import get_parser
from airflow.models.connection import Connection
from airflow.utils.session import create_session

from contact_sync.cli.main import main
from local.postgres.account import reachable_programs
from local.postgres.server import Cluster, memory_folder, temporary_cluster
from local.sendgrid_emulator.process import Emulator
from tests.support.airflow_home import ROOT
from tests.support.documents import BLOCK, shell_commands
from tests.support.world import API_KEY, LIST_NAME

pytestmark = pytest.mark.airflow

NAME = "broker"
SCHEMA = ROOT / "tests/integration/foreign/schemas/consents.sql"
PASSWORD = "only for the guide"
LOAD = [f"python -m contact_sync plan {NAME}", f"python -m contact_sync run {NAME}"]
"""What docs/first-load.md says next, for who has no scheduler."""
SKIPPED = ("cp ", "psql --single-transaction --file include/sql/b2core/roles.sql")
"""For tables that are called as ours."""


@pytest.fixture
def server() -> Iterator[Cluster]:
    """A server of one's own, with a CRM in the database b2core and no role of ours."""
    with temporary_cluster(memory_folder()) as cluster:
        url = cluster.create_database("b2core")
        psql(cluster, ["--quiet", "--file", str(SCHEMA), url])
        yield cluster


def psql(cluster: Cluster, words: list[str], program: str = "psql") -> None:
    """A program of the databases' administrator."""
    done = subprocess.run(
        [str(reachable_programs(None) / program), *words], env=administrator(cluster), cwd=ROOT,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def administrator(cluster: Cluster) -> dict[str, str]:
    """How libpq's programs log in as the administrator."""
    url = urlsplit(cluster.url())
    return {"PGHOST": "127.0.0.1", "PGPORT": str(url.port), "PGUSER": str(url.username),
            "PGPASSWORD": str(url.password), "PGSSLMODE": "disable"}  # fmt: skip


def steps(cluster: Cluster, emulator: Emulator) -> Iterator[tuple[str, str]]:
    """The heading that each of the page's commands stands under, and the command."""
    page = (ROOT / "docs" / "first-connection.md").read_text(encoding="utf-8")
    grants = next(text for language, text in BLOCK.findall(page) if language == "sql")
    granting = f'psql --command "{" ".join(grants.split()).replace("crm", "broker")}" b2core'
    for part in page.split("\n## "):
        heading = part.partition("\n")[0].removeprefix("# ")
        for command in filled_in(part, granting, connections(cluster, emulator)):
            yield heading, command
    for command in LOAD:
        yield "The first load", command


def filled_in(part: str, granting: str, connecting: list[str]) -> list[str]:
    """A part's commands in their order, with what it leaves to the reader filled in: passwords,
    the form of Airflow's connections, the name, the answer to a question."""
    given: list[str] = []
    for command in (c.replace("NAME", NAME) for c in shell_commands(part)):
        if command.startswith("export AIRFLOW_CONN_B2CORE"):
            given += connecting
        elif command.startswith("psql --command"):
            role = "contact_sync_state" if "_state" in command else "contact_sync_reader"
            given += [granting] if "_reader" in command else []
            database = command.split()[-1]
            given.append(f"psql --command \"ALTER ROLE {role} PASSWORD '{PASSWORD}'\" {database}")
        elif command.startswith(f"python -m contact_sync init {NAME}"):
            given.append(f"{command} --yes")
        elif not command.startswith((*SKIPPED, "export AIRFLOW_CONN")):
            given.append(command)
    return given


def connections(cluster: Cluster, emulator: Emulator) -> list[str]:
    """What somebody enters under Admin > Connections, by Airflow's command for it."""
    entered = {
        "b2core_default": {
            "conn_type": "postgres", "host": "127.0.0.1", "port": cluster.port,
            "login": "contact_sync_reader", "password": PASSWORD, "schema": "b2core",
        },
        "contact_sync_state": {
            "conn_type": "postgres", "host": "127.0.0.1", "port": cluster.port,
            "login": "contact_sync_state", "password": PASSWORD, "schema": "contact_sync",
        },
        "sendgrid_default": {
            "conn_type": "sendgrid", "host": emulator.base_url, "password": API_KEY,
        },
    }  # fmt: skip
    return [
        f"airflow connections add {name} --conn-json {shlex.quote(json.dumps(values))}"
        for name, values in entered.items()
    ]


@pytest.fixture
def in_this_process(
    airflow_database: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A copy of include/, and no connection but the stored ones."""
    copy = Path(shutil.copytree(ROOT / "include", tmp_path / "include"))
    monkeypatch.setattr("contact_sync.cli.new_files.INCLUDE", copy)
    monkeypatch.setattr("contact_sync.config.files.INCLUDE", copy)
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    monkeypatch.setenv("AIRFLOW__CORE__TEST_CONNECTION", "Enabled")
    for variable in [name for name in os.environ if name.startswith("AIRFLOW_CONN_")]:
        monkeypatch.delenv(variable)
    yield
    with create_session() as session:
        for row in session.query(Connection).all():
            session.delete(row)


def carry_out(command: str, cluster: Cluster, folder: Path) -> None:
    """One command, as near to the shell as a process allows."""
    words = shlex.split(command)
    if words[:3] == ["python", "-m", "contact_sync"]:
        assert main(words[3:]) == 0, command
    elif words[0] == "airflow" and words[1] != "db":
        options = get_parser().parse_args(words[1:])
        options.func(options)
    elif words[0] in ("psql", "createdb"):
        own = [w.replace(f"include/sql/{NAME}/", f"{folder}/sql/{NAME}/") for w in words[1:]]
        psql(cluster, own, words[0])
    else:
        assert words[0] in ("source", "export", "airflow"), f"nobody knows how to run {command}"


def test_the_guide_leads_to_a_first_load(
    server: Cluster, emulator: Emulator, in_this_process: None, tmp_path: Path
) -> None:
    """Every command ends well, and the contacts are those of the foreign tables."""
    emulator.admin.create_list(LIST_NAME)
    for _, command in steps(server, emulator):
        carry_out(command, server, tmp_path / "include")
    assert set(emulator.admin.contacts()) == {"ann@example.com", "bob@example.com"}


@pytest.mark.slow
def test_the_guide_leads_to_a_first_load_in_a_shell_of_an_empty_clone(
    server: Cluster, emulator: Emulator, tmp_path: Path
) -> None:
    """Nothing is set but the administrator's login and where a new Airflow lives. The seconds that
    each part of the page took are printed."""
    emulator.admin.create_list(LIST_NAME)
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", f"file://{ROOT}", clone], check=True)
    (clone / ".venv").symlink_to(ROOT / ".venv")  # as `make setup` makes it there
    log = tmp_path / "seconds"
    lines = [
        f'echo "$EPOCHREALTIME {heading}" >>{log}; {command}'
        for heading, command in [*steps(server, emulator), ("", "true")]
    ]
    programs = f"{reachable_programs(None)}:/usr/bin:/bin"
    given = administrator(server) | {
        "PATH": programs, "HOME": str(tmp_path), "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled", "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }  # fmt: skip
    done = subprocess.run(
        ["bash", "-e", "-c", "\n".join(lines)], cwd=clone, env=given, input="yes\n" * 9,
        capture_output=True, text=True, check=False, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert set(emulator.admin.contacts()) == {"ann@example.com", "bob@example.com"}
    sys.stdout.writelines(seconds_of_parts(log.read_text(encoding="utf-8")))


def seconds_of_parts(log: str) -> list[str]:
    """For whoever runs the test: "12.3 s  5. Pool and tables", from the moments of its commands."""
    begun = [line.partition(" ") for line in log.splitlines()]
    taken: defaultdict[str, float] = defaultdict(float)
    for (moment, _, heading), (after, _, _) in pairwise(begun):
        taken[heading] += float(after) - float(moment)
    return [f"{seconds:6.1f} s  {heading}\n" for heading, seconds in taken.items()]
