"""The params of the DAGs, as Airflow's trigger form shows them."""

from __future__ import annotations

import runpy
from typing import Any

from local.demo.sync import DAG_ID
from local.docs_generator.definition_keys import Row
from local.docs_generator.markdown import code
from local.docs_generator.schema_words import default_words, type_words
from local.stack.directory import ROOT


def param_rows() -> list[Row]:
    """Param, value, default and meaning of every param; every DAG has the same ones.

    The file of the DAGs imports Airflow.
    """
    dag = runpy.run_path(str(ROOT / "dags" / "contact_sync.py"))[DAG_ID]
    return [_row(name, dag.params.get_param(name)) for name in dag.params]


def _row(name: str, param: Any) -> Row:
    meaning = f"**{param.schema['title']}.** {param.schema['description_md']}"
    return code(name), type_words(param.schema), default_words(param.value), meaning
