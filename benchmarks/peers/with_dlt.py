"""dlt (dlthub.com): a resource with an incremental cursor, and a custom destination, as its guide
"Reverse ETL" has it. Runs in an environment of its own; see `make peers`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import dlt
import psycopg2
import psycopg2.extras
import requests

from benchmarks.baseline import BATCH, contact, custom_fields, send
from benchmarks.peers.query import NEVER, peers_query
from benchmarks.target import Target, read_target

OWN = ("client_id", "updated_at")


def main(target: Target, folder: str) -> None:
    """One run of the pipeline. Raises what dlt does when a load job has failed."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {target.api_key}"
    fields = custom_fields(session, target)

    @dlt.destination(batch_size=BATCH, name="sendgrid", loader_parallelism_strategy="sequential")
    def sendgrid(items: list[dict[str, Any]], _table: Any) -> None:
        send(session, target, [{k: v for k, v in i.items() if k not in OWN} for i in items])

    @dlt.resource(
        name="contacts", primary_key="client_id", columns={"custom_fields": {"data_type": "json"}}
    )
    def contacts(
        newer: Any = dlt.sources.incremental("updated_at", initial_value=NEVER),  # noqa: B008 its way
    ) -> Iterator[list[dict[str, Any]]]:
        query = f"SELECT * FROM ({peers_query()}) AS c WHERE c.updated_at >= '{newer.last_value}'"
        with psycopg2.connect(target.b2core_url) as connection:
            cursor = connection.cursor("c", cursor_factory=psycopg2.extras.RealDictCursor)
            cursor.execute(query)
            while rows := cursor.fetchmany(BATCH):
                pairs = [(row, contact(row, fields)) for row in rows]
                yield [
                    made
                    | {"client_id": row["client_id"], "updated_at": row["updated_at"].isoformat()}
                    for row, made in pairs
                    if isinstance(made, dict)
                ]

    pipeline = dlt.pipeline("contacts", destination=sendgrid, pipelines_dir=folder)
    pipeline.run(contacts()).raise_on_failed_jobs()


if __name__ == "__main__":
    main(read_target(), sys.argv[1])
