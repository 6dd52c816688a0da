"""The plain way in Airflow: a task that reads what is newer than a watermark, and sends it.

Only the function of the task, without Airflow: its start, scheduler and database aren't counted.
The watermark, which would be an Airflow Variable, is a file in the folder that is the argument.
"""

from __future__ import annotations

import sys
from pathlib import Path

import psycopg2
import psycopg2.extras
import requests

from benchmarks.baseline import contact, custom_fields, send
from benchmarks.peers.query import NEVER, peers_query
from benchmarks.target import Target, read_target


def sync_contacts(target: Target, variable: Path) -> None:
    """Read, transform, send; then the watermark moves, as the docs of providers have it."""
    watermark = variable.read_text(encoding="ascii") if variable.exists() else NEVER
    query = f"SELECT * FROM ({peers_query()}) AS c WHERE c.updated_at > %s ORDER BY client_id"
    with psycopg2.connect(target.b2core_url) as connection:
        cursor = connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor)
        cursor.execute(query.replace("%", "%%").replace("> %%s", "> %s"), (watermark,))
        rows = cursor.fetchall()
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {target.api_key}"
    fields = custom_fields(session, target)
    found = [contact(row, fields) for row in rows]
    send(session, target, [each for each in found if isinstance(each, dict)])
    if rows:
        variable.write_text(max(row["updated_at"] for row in rows).isoformat(), encoding="ascii")


if __name__ == "__main__":
    sync_contacts(read_target(), Path(sys.argv[1], "watermark"))
