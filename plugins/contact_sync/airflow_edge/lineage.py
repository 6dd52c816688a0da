"""What a task reads and writes, for OpenLineage: B2CORE's tables and the SendGrid list.

Told to Airflow's hook lineage collector, which keeps nothing unless something reads it: the
OpenLineage provider does, once a transport is configured. Lineage that can't be told is logged as
a warning and changes nothing else.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from airflow.sdk import Asset, BaseHook
from airflow.sdk.lineage import HookLineageCollector, NoOpCollector, get_hook_lineage_collector

from contact_sync.airflow_edge.hook import SendGridHook
from contact_sync.airflow_edge.provider import ASSET_SCHEME
from contact_sync.airflow_edge.sendgrid_connection import base_url
from contact_sync.base.errors import told_safely
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.files import source_folder

if TYPE_CHECKING:
    from openlineage.client.event_v2 import Dataset

log = logging.getLogger(__name__)
_PLACEHOLDER = re.compile(r"%\(\w+\)s")


def note_read(definition: SyncDefinition, *statements: str) -> None:
    """The tables of B2CORE that these statements of the definition's folder read."""
    with _told_or_logged() as collector:
        if collector is not None:
            for table in _assets_read(definition, statements):
                collector.add_input_asset(
                    context=SendGridHook(definition.connections.sendgrid),
                    scheme="postgres",
                    asset_kwargs=table,
                )


def note_written(definition: SyncDefinition) -> None:
    """The SendGrid list, or all contacts of the account when the sync has none."""
    with _told_or_logged() as collector:
        if collector is not None:
            hook = SendGridHook(definition.connections.sendgrid)
            account = urlsplit(base_url(hook.get_connection(hook.sendgrid_conn_id))).netloc
            what = f"lists/{quote(definition.list, safe='')}" if definition.list else "contacts"
            uri = f"{ASSET_SCHEME}://{account}/{hook.sendgrid_conn_id}/{what}"
            collector.add_output_asset(context=hook, uri=uri)


@contextmanager
def _told_or_logged() -> Iterator[HookLineageCollector | None]:
    """The collector; None while nobody listens."""
    try:
        collector = get_hook_lineage_collector()
        yield None if isinstance(collector, NoOpCollector) else collector
    except Exception as error:  # noqa: BLE001 the run is not to blame
        log.warning("What this task reads and writes could not be reported: %s", told_safely(error))


def _assets_read(definition: SyncDefinition, statements: Sequence[str]) -> list[dict[str, Any]]:
    connection: Any = BaseHook.get_connection(definition.connections.b2core)
    server = {
        "host": (connection.host or "localhost").split(",")[0],
        "port": connection.port or 5432,
        "database": connection.schema,
    }
    return [server | {"schema": s, "table": t} for s, t in tables(definition, statements)]


def tables(definition: SyncDefinition, statements: Sequence[str]) -> list[tuple[str, str]]:
    """Schema and name of every table that the statements read, as OpenLineage's parser sees it."""
    from openlineage_sql import parse  # type: ignore[import-untyped]

    folder = source_folder(definition)
    texts = [(folder / f"{name}.sql").read_text(encoding="utf-8") for name in statements]
    found = parse([_PLACEHOLDER.sub("NULL", text) for text in texts], dialect="postgres")
    return sorted({(table.schema or "public", table.name) for table in found.in_tables})


def to_openlineage(asset: Asset, context: Any) -> Dataset:
    """An `x-sendgrid` asset as OpenLineage names it; called by its provider."""
    del context
    from openlineage.client.event_v2 import Dataset

    parts = urlsplit(asset.uri)
    return Dataset(namespace=f"sendgrid://{parts.netloc}", name=unquote(parts.path.lstrip("/")))
