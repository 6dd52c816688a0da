"""The Redis of `make cluster`: found or asked for, and for this machine only."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.airflow_stack import celery
from local.airflow_stack.processes import AirflowError


def test_a_missing_redis_is_asked_for_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where requirements.txt brings none, the system's is taken; without it, a message says how."""
    monkeypatch.setattr(celery, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AirflowError, match="apt-get install redis-server"):
        celery.find_redis()
    program = tmp_path / "redis-server"
    program.touch(mode=0o755)
    assert celery.find_redis() == str(program)


def test_redis_listens_on_this_machine_and_its_password_is_for_us_alone(tmp_path: Path) -> None:
    """The configuration is readable for its owner only."""
    path = tmp_path / "redis.conf"
    celery.write_redis_configuration(path, port=1, password="only for tests")
    assert "bind 127.0.0.1\n" in path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o777 == 0o600
