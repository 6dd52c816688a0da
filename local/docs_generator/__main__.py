"""Write docs/reference.md, docs/architecture.md, docs/sendgrid-behaviour.md and schema.sql from
what the code says."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from contact_sync.cli import main as cli
from contact_sync.config.definition import json_schema
from contact_sync.state.migrate import migrate
from local.docs_generator import architecture, sendgrid_behaviour, state_schema
from local.docs_generator.commands import command_lines
from local.docs_generator.definition_keys import key_rows
from local.docs_generator.markdown import table
from local.docs_generator.params import param_rows
from local.docs_generator.personal_data import data_rows
from local.docs_generator.tables import read_tables
from local.postgres.server import temporary_cluster
from local.stack.directory import ROOT

DOCUMENT = ROOT / "docs" / "reference.md"


def document(state_url: str) -> str:
    """The whole text; `state_url` is a migrated state database, `AIRFLOW_HOME` must be set."""
    return "\n".join(
        [
            "# Reference",
            "",
            "Made by `python -m local.docs_generator` from the code: edit that, then `make docs`.",
            "",
            "## Keys of a sync definition",
            "",
            "One file `include/syncs/NAME.yaml` is one sync. Only `name` and `caption` are needed. "
            "[template.yaml.example](../include/syncs/template.yaml.example) shows all keys at "
            "work; editors read `include/syncs/sync.schema.json`.",
            "",
            *table(("Key", "Value", "Default", "Meaning"), key_rows(json_schema())),
            "",
            "## Params of a DAG run",
            "",
            "What *Trigger* asks for, and what the `conf` of Airflow's REST API may hold.",
            "",
            *table(("Param", "Value", "Default", "Meaning"), param_rows()),
            "",
            "## Commands",
            "",
            *command_lines(cli.parser()),
            "",
            "## Tables of the state database",
            "",
            "Schema `contact_sync`, made by `python -m contact_sync migrate`. To be read, not to "
            "be changed by hand.",
            *read_tables(state_url),
            "",
            "## Personal data in the state database",
            "",
            "*Personal*: readable by itself, an address, values, somebody's name or words. "
            "*Pseudonymous*: stands for a client, or is said of one that only an id, a key or a "
            "hash names. All other columns say nothing of anybody. Made from "
            "[personal_data.yaml](../include/sql/state/personal_data.yaml), which names every "
            "column; whom this concerns and why is in [data-protection.md](data-protection.md).",
            "",
            *data_rows(),
            "",
        ]
    )


def main() -> None:
    """Make a state database, read it and the code, and write the document."""
    with tempfile.TemporaryDirectory() as home, temporary_cluster() as cluster:
        os.environ |= {"AIRFLOW_HOME": home, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        url = cluster.create_database("state")
        migrate(url)
        texts = {
            DOCUMENT: document(url),
            architecture.DOCUMENT: architecture.page(),
            state_schema.DOCUMENT: state_schema.read_schema(url),
            sendgrid_behaviour.DOCUMENT: sendgrid_behaviour.page(),
        }
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
        print(f"Wrote {Path(os.path.relpath(path))}")


if __name__ == "__main__":
    main()
