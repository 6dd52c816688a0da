"""docker-compose.yaml as a native run needs it: each service's environment and command."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import yaml

from docker import make_env
from tests.support.airflow_home import ROOT

TEXT = (ROOT / "docker-compose.yaml").read_text(encoding="utf-8")
FILE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(:[?-])?([^}]*)\}")
"""What Compose replaces: name, how, and the default or the message."""


def env_file() -> dict[str, str]:
    """What `make_env.py --demo` writes into .env, as Compose reads it."""
    lines = make_env.filled(EXAMPLE, demo=True).splitlines()
    pairs = (line.split("=", 1) for line in lines if re.match("[A-Z]", line))
    return {name: value.strip("'") for name, value in pairs}


def with_values(text: str, values: dict[str, str]) -> str:
    """The text with `${NAME:?…}` and `${NAME:-…}` replaced, and `$$` as `$`."""

    def value(found: re.Match[str]) -> str:
        return values[found[1]] if found[2] == ":?" else values.get(found[1], found[3])

    return VARIABLE.sub(value, text).replace("$$", "$")


def environment(service: str, values: dict[str, str], moved: dict[str, str]) -> dict[str, str]:
    """A service's whole environment, with addresses and folders of the containers `moved`."""
    found = dict[str, str]()
    for name, text in SERVICES[service]["environment"].items():
        found[name] = with_values(str(text), values)
        for there, here in moved.items():
            found[name] = found[name].replace(there, here)
    return found


def command(service: str, values: dict[str, str]) -> list[str]:
    """What a service runs."""
    found = SERVICES[service]["command"]
    words = ["airflow", *found.split()] if isinstance(found, str) else found
    return [with_values(word, values) for word in words]


def of_the_image(home: Path) -> dict[str, str]:
    """What the image brings: where its programs are, and Airflow's own folder."""
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.defpath])
    return {"PATH": programs, "HOME": str(home), "AIRFLOW_HOME": str(home / "airflow")}
