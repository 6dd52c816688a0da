"""Read the logs of tasks, which Airflow writes as one JSON object per line, as plain text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TAIL_ENTRIES = 20
FRAMES = 4
FRAME_OF_THE_LOG = ("::group::", "::endgroup::")  # they fold parts of the log on the web page


def readable_log(path: Path, entries: int = TAIL_ENTRIES) -> str:
    """Return the last entries of a task's log, indented."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    texts = [text for line in lines if (text := readable_entry(line))]
    return "\n".join(f"    {text}" for text in texts[-entries:])


def readable_entry(line: str) -> str:
    """Return one entry as time, level and event, with the exception if there is one."""
    try:
        fields = json.loads(line)
    except json.JSONDecodeError:
        return line
    event = str(fields.get("event", ""))
    if event.startswith(FRAME_OF_THE_LOG):
        return ""
    head = f"{str(fields.get('timestamp', ''))[11:19]} {fields.get('level', ''):<7} {event}"
    errors = [readable_error(error) for error in fields.get("error_detail") or []]
    return "\n      ".join([head, *errors])


def readable_error(error: dict[str, Any]) -> str:
    """Return an exception's kind and message after the last places it came through."""
    places = [
        f"{frame['filename']}:{frame['lineno']} in {frame['name']}"
        for frame in (error.get("frames") or [])[-FRAMES:]
    ]
    return "\n      ".join([*places, f"{error.get('exc_type')}: {error.get('exc_value')}"])
