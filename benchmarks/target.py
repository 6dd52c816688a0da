"""What a measured program gets on its standard input, and how it answers."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CLIENTS_SQL = ROOT / "include" / "sql" / "b2core" / "clients.sql"
ALL_CLIENTS = {"first_id": "0", "last_id": str(2**62), "ids": "NULL"}


@dataclass(frozen=True, slots=True)
class Target:
    """The addresses of one benchmark's servers; all of them are thrown away afterwards."""

    b2core_url: str = field(repr=False)
    state_url: str = field(repr=False)
    sendgrid_url: str
    api_key: str = field(repr=False)

    def to_json(self) -> bytes:
        """What `read_target` reads."""
        return json.dumps(asdict(self)).encode()


def read_target() -> Target:
    """The target that this program is to work on."""
    return Target(**json.load(sys.stdin))


def answer(**figures: object) -> None:
    """Tell the benchmark what was done, and the most memory that this process ever had, in MB."""
    print(json.dumps({**figures, "rss_mb": peak_megabytes()}))


def peak_megabytes() -> float:
    """The peak since this program was started; `ru_maxrss` would count its parent's memory too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    if found is None:
        raise RuntimeError("/proc/self/status has no VmHWM: the benchmark needs Linux")
    return int(found[1]) * 1024 / 1e6


def extraction_query() -> str:
    """The statement that reads every client, with its parameters put in."""
    text = CLIENTS_SQL.read_text(encoding="utf-8")
    return re.sub(r"%\((\w+)\)s", lambda match: ALL_CLIENTS[match[1]], text)
