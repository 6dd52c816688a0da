"""What a stack that is kept needs to go on where it stopped: passwords, keys, ports."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from local.sendgrid_emulator.process import Emulator
from local.stack.directory import StackError

FILE = "kept.json"
ACCOUNT = "sendgrid.account"
SECRETS = (
    "AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__API__SECRET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kept:
    """`secrets`: Airflow's, by setting; `ports`: of Airflow, the emulator, its uploads."""

    passwords: dict[str, str]
    api_key: str
    list_id: str
    secrets: dict[str, str]
    ports: tuple[int, int, int]


def read_kept(directory: Path) -> Kept | None:
    """What is in the folder; None when no stack has come up there yet."""
    path = directory / FILE
    if not path.exists():
        (directory / ACCOUNT).unlink(missing_ok=True)  # of a start that was broken off
        return None
    try:
        return Kept(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise StackError(f"{path} can't be read ({error}). Delete it to begin again.") from None


def write_kept(directory: Path, kept: Kept) -> None:
    """Keep it, for its owner only."""
    path = directory / FILE
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(kept), file)


def ports_of(port: int, emulator: Emulator) -> tuple[int, int, int]:
    """Of Airflow, the emulator and its uploads."""
    urls = (emulator.base_url, emulator.upload_url)
    api, uploads = (urlsplit(url).port or 0 for url in urls)
    return port, api, uploads
