"""`make up KEEP=1`: what stays, for whom, and what is asked for."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from local.demo.sync import CLIENTS, SYNC
from local.demo.up import own_connections
from local.sendgrid_emulator.process import start_emulator
from local.stack.databases import AIRFLOW, OWNERS, databases, kept_databases
from local.stack.directory import StackError
from local.stack.kept import ACCOUNT, FILE, Kept, read_kept, write_kept
from local.stack.system import port_for
from tests.support.airflow_home import ROOT

ANN = "ann@example.com"
START_SECONDS = 600
KEPT = Kept({"airflow": "secret"}, "SG.key", "a-list", {"AIRFLOW__X": "y"}, (8080, 8025, 8026))


def mode(path: Path) -> int:
    """Who may do what with a file."""
    return stat.S_IMODE(path.stat().st_mode)


def test_the_emulators_account_is_there_at_the_next_start(tmp_path: Path) -> None:
    """Contacts with their lists and fields, at the same ids; nobody else may read the file."""
    file = tmp_path / ACCOUNT
    with start_emulator(api_key="SG.key", empty_cell="keep", keep=file) as emulator:
        admin = emulator.admin
        list_id, field_id = admin.create_list("Clients"), admin.create_field("Status", "Text")
        contact = {"email": ANN, "custom_fields": {field_id: "VIP"}}
        admin.put_contacts(contact, list_ids=[list_id])
        while any(job["status"] == "pending" for job in admin.jobs()):
            time.sleep(0.02)
        admin.advance(60)
        before = admin.contacts()
        assert list(before) == [ANN]
    assert mode(file) == 0o600
    with start_emulator(api_key="SG.key", empty_cell="keep", keep=file) as emulator:
        found = emulator.admin.contacts()
        for contact in (*before.values(), *found.values()):
            del contact["_metadata"]  # it has the emulator's port
        assert found == before
        assert emulator.admin.create_field("Other", "Text") != field_id


def test_databases_are_there_at_the_next_start(tmp_path: Path) -> None:
    """With their roles and passwords."""
    home = tmp_path / "postgres"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("local.stack.databases.create_schema", lambda _url: None)
        patch.setattr("local.stack.databases.create_reader", lambda _url, _password: None)
        with databases(home, keep=True) as made:
            passwords = made.passwords
            with psycopg.connect(made.cluster.url(AIRFLOW), autocommit=True) as connection:
                connection.execute("CREATE TABLE public.kept AS SELECT 7 AS n")
    with kept_databases(home, passwords) as kept:
        user = OWNERS[AIRFLOW]
        with psycopg.connect(kept.cluster.url(AIRFLOW, user, passwords[user])) as connection:
            assert connection.execute("SELECT to_regclass('public.kept')").fetchone() == ("kept",)


def test_what_is_kept_is_for_its_owner_and_a_broken_file_is_told(tmp_path: Path) -> None:
    """A start that was broken off leaves nothing that the next one would mix with its own."""
    (tmp_path / ACCOUNT).touch()
    assert read_kept(tmp_path) is None
    assert not (tmp_path / ACCOUNT).exists()
    write_kept(tmp_path, KEPT)
    assert mode(tmp_path / FILE) == 0o600
    found = read_kept(tmp_path)
    assert found is not None
    assert (found.passwords, found.list_id, list(found.ports)) == (
        KEPT.passwords, KEPT.list_id, list(KEPT.ports),
    )  # fmt: skip
    (tmp_path / FILE).write_text("{", encoding="utf-8")
    with pytest.raises(StackError, match="Delete it to begin again"):
        read_kept(tmp_path)


def test_a_port_that_is_asked_for_has_to_be_free() -> None:
    """One that was kept is taken if it is free."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=f"Port {port} is in use.*PORT="):
            port_for(port, 0)
        assert port_for(None, port) not in (0, port)
    assert port_for(None, port) == port


def test_connections_of_the_shell_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """And no other variable."""
    monkeypatch.setenv("AIRFLOW_CONN_B2CORE_DEFAULT", "postgresql://mine")
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "99")
    assert own_connections()["AIRFLOW_CONN_B2CORE_DEFAULT"] == "postgresql://mine"
    assert all(name.startswith("AIRFLOW_CONN_") for name in own_connections())


@pytest.mark.parametrize(
    ("given", "called"),
    [([], "local.demo.up"), (["KEEP=1", "PORT=8080"], "local.demo.up --keep --port 8080")],
)
def test_make_passes_on_what_is_asked_for(given: list[str], called: str) -> None:
    """Variables of make become options."""
    alone = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    said = subprocess.run(
        ["make", "--dry-run", "up", *given], cwd=ROOT, check=True, capture_output=True, text=True,
        timeout=30, env=alone,
    ).stdout  # fmt: skip
    assert said.strip().splitlines()[-1].split(" -m ")[1].strip() == called


@pytest.fixture
def clone() -> Iterator[Path]:
    """The last commit, with this environment as `make setup` makes it there."""
    with tempfile.TemporaryDirectory(prefix="b2core-sync-kept-") as name:
        Path(name).chmod(0o711)  # for the account that the servers run as
        folder = Path(name, "clone")
        subprocess.run(["git", "clone", "-q", "--depth=1", f"file://{ROOT}", folder], check=True)
        (folder / ".venv").symlink_to(ROOT / ".venv")
        yield folder


@contextmanager
def kept_up(clone: Path) -> Iterator[Callable[[str], Any]]:
    """`make up KEEP=1`, ended by Ctrl-C. Gives what answers a command of the package as JSON, in a
    shell with the settings that the banner names."""
    log = clone / "up.log"
    environment = os.environ | {
        "PYTHONPATH": str(clone / "plugins"),
        "AIRFLOW_CONN_OF_ONES_OWN": "http://here",  # so that no DAG is unpaused
    }

    def answer(command: str) -> Any:
        words = f". .run/kept/environment.sh; .venv/bin/python -m contact_sync {command} --json"
        done = subprocess.run(
            ["bash", "-c", words], cwd=clone, env=environment, capture_output=True, text=True,
            check=True, timeout=300,
        )  # fmt: skip
        return json.loads(done.stdout)

    command = [".venv/bin/python", "-m", "local.demo.up", "--keep"]
    with (
        log.open("w") as out,
        subprocess.Popen(
            command, cwd=clone, env=environment, stdout=out, stderr=out, start_new_session=True
        ) as up,
    ):
        try:
            for _ in range(START_SECONDS):
                if "Ctrl-C stops everything" in log.read_text() or up.poll() is not None:
                    break
                time.sleep(1)
            assert "Ctrl-C stops everything and keeps the data" in log.read_text()
            yield answer
        finally:
            os.killpg(up.pid, signal.SIGINT)  # as a terminal does, to all that runs in it
            assert up.wait(timeout=120) == 0, log.read_text()[-3000:]


@pytest.mark.slow
@pytest.mark.airflow
@pytest.mark.timeout(1800)
def test_a_stack_that_is_kept_goes_on_after_ctrl_c(clone: Path) -> None:
    """The account and both databases: nothing is sent again, and every contact is there. What it
    leaves is for this user only."""
    with kept_up(clone) as answer:
        first = answer(f"run {SYNC}")["counts"]["sent"]
    assert first > CLIENTS / 2
    with kept_up(clone) as answer:
        assert answer(f"run {SYNC}")["counts"]["sent"] == 0
        assert answer(f"verify {SYNC}")["equal"] is True
    kept = clone / ".run" / "kept"
    assert mode(kept / FILE) == mode(kept / ACCOUNT) == 0o600
