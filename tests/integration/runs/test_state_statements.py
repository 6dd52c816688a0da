"""Every named statement of include/sql/state/ fits the schema that the migrations make."""

from __future__ import annotations

import re

import psycopg
import pytest

from contact_sync.state import statements
from local.postgres.server import Cluster
from tests.support.state_statements import files

PARAMETER = re.compile(r"%\((\w+)\)s")
SETTING, CREATION = "SET ", "CREATE "
"""PostgreSQL prepares neither (its documentation, PREPARE); what follows needs the tables."""


def numbered(statement: str) -> str:
    """The statement with PostgreSQL's own parameters: $1, $2, …"""
    names = list(dict.fromkeys(PARAMETER.findall(statement)))
    with_numbers = PARAMETER.sub(lambda match: f"${names.index(match.group(1)) + 1}", statement)
    return with_numbers.replace("%%", "%")


@pytest.mark.parametrize("file", files())
def test_every_statement_is_understood_by_the_database(
    cluster: Cluster, state_template: str, file: str
) -> None:
    """Names, columns and types: PostgreSQL plans each, and runs those that it can't prepare."""
    found = statements.load(file)
    assert found
    with psycopg.connect(cluster.url(state_template)) as connection:
        for statement in found.values():
            if statement.startswith(SETTING):
                connection.execute(statement)
                connection.rollback()
        for statement in found.values():
            if statement.startswith(CREATION):
                connection.execute(statement)
        for name, statement in found.items():
            if not statement.startswith((SETTING, CREATION)):
                connection.execute(f"PREPARE {name} AS {numbered(statement)}")
        connection.rollback()
