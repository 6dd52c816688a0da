"""The forwarder of docker-compose.yaml's demo: the emulator as if it were on this machine."""

from __future__ import annotations

import subprocess
import sys
import time
from urllib.parse import urlsplit

import pytest
import requests

from local.postgres.process import free_port
from local.sendgrid_emulator.process import Emulator
from tests.support.airflow_home import ROOT

DEADLINE = 20.0


def test_calls_reach_the_emulator_through_a_forwarded_port(emulator: Emulator) -> None:
    """Requests and answers pass; a connection that is open does not keep others waiting."""
    port, target = free_port(), urlsplit(emulator.base_url).port
    command = [sys.executable, "-m", "docker.forward", f"{port}:127.0.0.1:{target}"]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            headers = {"Authorization": f"Bearer {emulator.api_key}"}
            with requests.Session() as session:
                session.trust_env = False
                url = f"http://127.0.0.1:{port}/v3/scopes"
                first = get_when_up(session, url, headers)
                second = requests.get(url, headers=headers, timeout=10)
            assert first.status_code == second.status_code == 200
            assert "marketing.read" in first.json()["scopes"]
        finally:
            process.terminate()


def get_when_up(session: requests.Session, url: str, headers: dict[str, str]) -> requests.Response:
    """The answer to the first request that finds the port open."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        try:
            return session.get(url, headers=headers, timeout=10)
        except requests.ConnectionError:
            time.sleep(0.1)
    pytest.fail("The forwarder did not start")
