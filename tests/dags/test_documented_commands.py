"""Every command that the documents tell people to type is run, or checked as far as it can be here.

One world for all: B2CORE with six clients, the emulator, a state database, Airflow's own database.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial, reduce
from pathlib import Path

import psycopg
import pytest
import yaml
from psycopg.conninfo import conninfo_to_dict

from contact_sync.base.paths import INCLUDE
from contact_sync.cli import main as cli
from contact_sync.config.parse import parse_definition
from local.b2core_demo import create_schema
from local.postgres.account import os_user, reachable_programs
from local.postgres.server import Cluster
from tests.support import documents
from tests.support.airflow_home import ROOT
from tests.support.world import World

Runner = Callable[[list[str]], None]
SYNC = "demo"
CHECKED_ONLY = {
    'eval "$(activate-': "test_command_table.py switches completion on, in a real bash",
    "make": "its recipe is shown, not run: they take minutes, and `make test` is what runs this",
    "python -m contact_sync rename": "its options are parsed: there is no definition of a new name",
    "python -m contact_sync forget": "its options are parsed: every sync has a definition",
    "python -m contact_sync probe": "its options are parsed; test_probe_command.py runs it",
    "airflow dags": "its options are parsed: it needs a DAG that a dag processor has stored",
    "docker compose": "services and profiles are looked up: there is no Docker engine here",
    "cp": "what is copied is looked up: a copy would be a sync of the repository",
    "psql --command": "it asks for a password",
    "source": "test_first_connection.py runs it, in a clone",
    "export PYTHONPATH": "the same",
    "airflow db": "the same",
    "AIRFLOW=": "test_rest_call.py runs it, on a real API server",
    "TOKEN=$(curl": "the same",
    "curl": "the same",
    "apt-get install": "it installs packages",
    "brew install": "it installs packages",
    ".venv/bin/playwright install": "it downloads a browser",
    "python -m tests.support.scenarios": "it writes a document; test_scenarios.py compares that",
    "python -m local.docs_generator": "it writes a document; test_reference.py compares that",
    "python -m benchmarks.source_cost": "it measures for minutes",
    "python -m benchmarks.rebuild_savings": "it measures for minutes",
}
"""Commands by their beginning → why they aren't run."""


def contact_sync(words: list[str]) -> None:
    """The package's own command line, in this process."""
    try:
        code = cli.main(words)
    except SystemExit as ended:  # --help and --version
        code = int(ended.code or 0)
    assert code == 0


def rename(words: list[str]) -> None:
    """The options are right."""
    cli.parser().parse_args(["rename", *words])


def forget(words: list[str]) -> None:
    """The options are right."""
    cli.parser().parse_args(["forget", *words])


def checked_options(command: str, words: list[str]) -> None:
    """The options are right. test_suppressions_list.py, test_probe_command.py and
    tests/integration/erasures run them: on syncs, accounts and people that are there."""
    told = words[: words.index(">")] if ">" in words else words
    cli.parser().parse_args([command, *told])


def airflow(words: list[str]) -> None:
    """Airflow's command line, in this process."""
    from airflow.cli.cli_parser import get_parser

    options = get_parser().parse_args(words)
    if words[0] != "dags":
        options.func(options)


def for_fab(words: list[str]) -> None:
    """The compose file's `init` runs the same; test_compose_pages.py runs that."""
    assert shlex.join(["airflow", "roles", *words]) in (ROOT / "docker-compose.yaml").read_text(
        encoding="utf-8"
    )


def make(words: list[str]) -> None:
    """The target exists; options in ARGS are known to the module that gets them."""
    shown = program(["make", "--dry-run", "--always-make", *words])
    options = re.findall(r"--[a-z][\w-]*", " ".join(w for w in words if w.startswith("ARGS=")))
    if options:
        module = re.search(r"-m ((?:local|benchmarks)\S*)", shown)
        assert module is not None, shown
        usage = program([sys.executable, "-m", module[1], "--help"])
        assert [option for option in options if option not in usage] == []


def compose(words: list[str]) -> None:
    """Profiles and services exist."""
    services = yaml.safe_load((ROOT / "docker-compose.yaml").read_text(encoding="utf-8"))[
        "services"
    ]
    if "--profile" in words:
        profile = words[words.index("--profile") + 1]
        assert any(profile in each.get("profiles", []) for each in services.values())
    if words[0] == "restart":
        assert set(words[1:]) <= services.keys()


def copy(words: list[str]) -> None:
    """What is copied exists."""
    assert (ROOT / words[0]).is_file()


def module(words: list[str]) -> None:
    """The module exists."""
    assert ROOT.joinpath(*words[0].split(".")).with_suffix(".py").exists() or (
        ROOT.joinpath(*words[0].split("."), "__main__.py").exists()
    )


def program(command: list[str], **environment: str) -> str:
    """Run a program to its successful end and return what it says."""
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def variable(name: str, value: str) -> None:
    """A connection can be read as Airflow reads it; a setting is one of Airflow's."""
    from airflow.configuration import conf
    from airflow.sdk import Connection

    if name.startswith("AIRFLOW_CONN_"):
        found = Connection.from_json(value) if value[0] == "{" else Connection.from_uri(value, name)
        assert (found.conn_type == "sendgrid") == ("SENDGRID" in name)
    else:
        section, option = name.removeprefix("AIRFLOW__").lower().split("__")
        assert option in conf.configuration_description[section]["options"]


def nothing(_words: list[str]) -> None:
    """Not run, for the reason above."""


RUNNERS: dict[str, Runner] = {
    "python -m contact_sync": contact_sync,
    "python -m contact_sync rename": rename,
    "python -m contact_sync forget": forget,
    "python -m contact_sync probe": partial(checked_options, "probe"),
    "python -m contact_sync suppressions": partial(checked_options, "suppressions"),
    "python -m contact_sync erase": partial(checked_options, "erase"),
    "python -m contact_sync erasures": partial(checked_options, "erasures"),
    "python -m contact_sync tombstones": partial(checked_options, "tombstones"),
    "python -c": nothing,
    "python -m": module,
    ".venv/bin/python -m": module,
    "airflow": airflow,
    "airflow roles": for_fab,
    "make": make,
    "docker compose": compose,
    "cp": copy,
    'eval "$(activate-global-python-argcomplete --dest=-)"': nothing,
    "psql --command": nothing,
    "source": nothing,
    'export PYTHONPATH="$PWD/plugins"': nothing,
    "airflow db": nothing,
    "AIRFLOW=https://airflow.example.com": nothing,
    "TOKEN=$(curl": nothing,
    "curl": nothing,
    "apt-get install": nothing,
    "brew install": nothing,
    ".venv/bin/playwright install": nothing,
}


def run(command: str, runners: dict[str, Runner]) -> None:
    """Run or check one command; of two beginnings that fit, the longer one counts."""
    text = re.sub("NAME(?![A-Z])", SYNC, command)
    words = shlex.split(text.removeprefix("export "))
    if len(words) == 1 and (assigned := re.fullmatch(r"(?s)(AIRFLOW_\w+)=(.*)", words[0])):
        variable(*assigned.groups())
        return
    text = re.sub(r"^(\w+=\w+ )+", "", text)
    for start, runner in sorted(runners.items(), key=lambda each: -len(each[0])):
        if f"{text} ".startswith(f"{start} "):
            runner(shlex.split(text[len(start) :]))
            return
    raise AssertionError("no test knows how to run it: add it to RUNNERS")


@pytest.fixture
def more_runners(cluster: Cluster, tmp_path: Path) -> Iterator[dict[str, Runner]]:
    """Programs for the databases' administrators, with a B2CORE that has its tables, and one that
    writes secrets; what they made is taken away again."""
    programs = reachable_programs(os_user())
    url = conninfo_to_dict(cluster.url())
    login = {f"PG{name.upper()}": str(url[name]) for name in ("host", "port", "user", "password")}

    def administrate(name: str) -> Runner:
        def runner(words: list[str]) -> None:
            own = {"/backups": str(tmp_path), f"include/sql/{SYNC}/": "include/sql/b2core/"}
            told = [reduce(lambda w, each: w.replace(*each), own.items(), word) for word in words]
            first, *options = name.split()
            program([str(programs / first), *options, *told], **login)

        return runner

    def make_env(words: list[str]) -> None:
        path = tmp_path / f"env{len(words)}"
        program([sys.executable, "docker/make_env.py", *words, "--file", str(path)])
        assert path.stat().st_size > 0

    def init(words: list[str]) -> None:
        """Into a copy of include/, which has no sync of that name."""
        include = shutil.copytree(INCLUDE, tmp_path / f"include{len(words)}", dirs_exist_ok=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("contact_sync.cli.new_files.INCLUDE", Path(include))
            patch.setattr("contact_sync.config.files.INCLUDE", Path(include))
            shutil.rmtree(include / "sql" / "found", ignore_errors=True)
            (include / "syncs" / "found.yaml").unlink(missing_ok=True)
            assert cli.main(["init", "found", "--yes", *words[1:]]) == 0
            assert (include / "sql" / "found" / "clients.sql").is_file()

    create_schema(cluster.create_database("b2core"))
    yield {
        "python -m contact_sync init": init,
        "createdb": administrate("createdb"),
        "psql": administrate("psql"),
        "psql --single-transaction --command": administrate("psql --single-transaction --command"),
        "pg_dump": administrate("pg_dump"),
        "pg_restore": administrate("pg_restore"),
        "python3 docker/make_env.py": make_env,
    }
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        for name in ("b2core", "contact_sync"):
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def test_every_command_of_the_documents_works(
    connected: World, more_runners: dict[str, Runner], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them, on one world, in the order of the pages."""
    from airflow.models.pool import Pool

    connected.seed()
    monkeypatch.setenv("AIRFLOW__CORE__TEST_CONNECTION", "Enabled")
    wrong = {}
    for command in documents.commands():
        try:
            run(command.text, more_runners | RUNNERS)
        except (Exception, SystemExit) as error:  # noqa: BLE001 all are told at the end
            wrong[str(command)] = repr(error)
    Pool.create_or_update_pool("sendgrid", slots=4, description="", include_deferred=False)
    assert wrong == {}


def test_definitions_in_the_documents_are_right() -> None:
    """Pieces of a definition, too."""
    shown = list(documents.definitions())
    assert len(shown) >= 3
    for page, text in shown:
        keys = {"name": "shown", "caption": "Shown"} | yaml.safe_load(text)
        parse_definition(json.dumps(keys), page)


def test_commands_are_found() -> None:
    """In blocks and in the text, without comments and prompts; a reason for each that isn't run."""
    found = [command.text for command in documents.commands()]
    assert {"make demo", "make test", "python -m contact_sync migrate"} <= set(found)
    assert len(found) > 50
    for start in CHECKED_ONLY:
        assert any(text.startswith(start) for text in found), start
    page = "```sh\na  'x # y'  # z\nb \\\n  c\n```\nSay `make up` or `plan`.\n"
    assert list(documents._commands_of(page)) == ["a 'x # y'", "b c", "make up"]
