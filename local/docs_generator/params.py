"""The params of the DAGs, as Airflow's trigger form shows them."""

from __future__ import annotations

from typing import Any

from contact_sync.airflow_edge.trigger_form import params
from local.docs_generator.definition_keys import Row
from local.docs_generator.markdown import code
from local.docs_generator.schema_words import default_words, type_words


def param_rows() -> list[Row]:
    """Param, value, default and meaning of every param; every DAG has the same ones, and links to
    pages of its own sync beside them."""
    return [_row(name, param) for name, param in params().items()]


def _row(name: str, param: Any) -> Row:
    meaning = f"**{param.schema['title']}.** {param.schema['description_md']}"
    return code(name), type_words(param.schema), default_words(param.value), meaning
