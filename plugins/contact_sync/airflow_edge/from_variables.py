"""Connections of `AIRFLOW_CONN_…` variables as Airflow reads them, without Airflow: to import it
takes a process twice as long as a run that finds nothing to do.

Only what Airflow (3.3, `airflow.sdk.definitions.connection`) can read in one way, and only where it
would ask nobody else first. For everything else there is Airflow itself.
"""

from __future__ import annotations

import configparser
import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

TEXTS = ("conn_type", "description", "host", "schema", "login", "password")
_KIND = re.compile(r"[a-z][a-z0-9-]*")
_OTHERS = (
    "AIRFLOW__SECRETS__BACKEND", "AIRFLOW__WORKERS__SECRETS_BACKEND", "AIRFLOW__CORE__MULTI_TEAM",
)  # fmt: skip
"""Settings by which others are asked before variables; the same with `_CMD` or `_SECRET` behind."""


@dataclass(frozen=True, slots=True, repr=False)
class PlainConnection:
    """A connection by the names of Airflow's; what isn't given is None. `extra`: JSON."""

    conn_id: str
    conn_type: str
    description: str | None = None
    host: str | None = None
    schema: str | None = None
    login: str | None = None
    password: str | None = None
    port: int | None = None
    extra: str | None = None

    @property
    def extra_dejson(self) -> dict[str, Any]:
        """The extra, which `connections.extras` has checked."""
        return dict(json.loads(self.extra)) if self.extra else {}


def has_airflow() -> bool:
    """Whether this process has imported it."""
    return "airflow" in sys.modules


def plain_connection(conn_id: str) -> PlainConnection | None:
    """The connection of its variable; None = Airflow has to be asked, who may know better."""
    value = os.environ.get(f"AIRFLOW_CONN_{conn_id.upper()}", "").strip()
    if not value or has_airflow() or "___" in conn_id or _others_are_asked():
        return None
    try:
        return _of_json(conn_id, value) if value.startswith("{") else _of_url(conn_id, value)
    except ValueError:
        return None


def _others_are_asked() -> bool:
    """Whether Airflow is set up to ask others first, by the environment or by its file."""
    home = os.environ.get("AIRFLOW_HOME", "~/airflow")
    path = _expanded(os.environ.get("AIRFLOW_CONFIG") or f"{home}/airflow.cfg")
    file = configparser.RawConfigParser(strict=False)
    try:
        file.read(path, encoding="utf-8")
    except (configparser.Error, OSError, ValueError):  # Airflow says what is wrong with it
        return True
    settings = {
        f"AIRFLOW__{section}__{key}".upper(): value
        for section in file.sections() for key, value in file[section].items()
    } | dict(os.environ)  # fmt: skip
    return any(
        name.startswith(_OTHERS) and value.lower() not in ("", "false")
        for name, value in settings.items()
    )


def _expanded(path: str) -> Path:
    return Path(os.path.expandvars(path)).expanduser()


def _of_json(conn_id: str, value: str) -> PlainConnection | None:
    given = json.loads(value)
    port, extra = given.pop("port", None), given.pop("extra", None)
    texts = {name: given.pop(name, None) for name in TEXTS}
    if given or not all(text is None or isinstance(text, str) for text in texts.values()):
        return None
    if not texts["conn_type"] or type(port) not in (int, type(None)):
        return None
    if extra and not isinstance(extra, str):
        extra = json.dumps(extra)
    texts["conn_type"] = _kind(texts["conn_type"])
    return PlainConnection(conn_id, port=port or None, extra=extra or None, **texts)


def _of_url(conn_id: str, value: str) -> PlainConnection | None:
    """One address with a host, and no second `://` in it: that would be the host's own."""
    kind, separator, rest = value.partition("://")
    parts = urlsplit(f"//{rest}")
    host = unquote(parts.hostname or "")
    if not separator or not _KIND.fullmatch(kind) or "://" in rest:
        return None
    if not host or "/" in host or parts.fragment:
        return None
    extra = dict(parse_qsl(parts.query, keep_blank_values=True))
    if "__extra__" in extra:
        return None
    return PlainConnection(
        conn_id, _kind(kind), host=host, schema=unquote(parts.path[1:]),
        login=unquote(parts.username) if parts.username else parts.username,
        password=unquote(parts.password) if parts.password else parts.password,
        port=parts.port, extra=json.dumps(extra) if parts.query else None,
    )  # fmt: skip


def _kind(written: str) -> str:
    return "postgres" if written == "postgresql" else written.replace("-", "_")
