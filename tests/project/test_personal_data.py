"""H: what the state database says of people is known by column, and told in the documents."""

from __future__ import annotations

import re

import psycopg

from local.docs_generator.personal_data import classified
from local.postgres.server import Cluster
from tests.support.airflow_home import ROOT

COLUMNS = """SELECT c.relname, a.attname FROM pg_class AS c
             INNER JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
                 AND NOT a.attisdropped
             WHERE c.relnamespace = 'contact_sync'::regnamespace AND c.relkind IN ('r', 'p')
                 AND c.relname <> 'alembic_version'"""
RETENTION = re.compile(r"`retention\.(\w+)`")


def test_H10_every_column_has_a_class(cluster: Cluster, state_template: str) -> None:
    """A new one has to be named in personal_data.yaml, and one that is gone leaves it."""
    with psycopg.connect(cluster.url(state_template)) as connection:
        there = set(connection.execute(COLUMNS).fetchall())
    named = {(name, column) for name, its in classified().items() for column in its.columns}
    assert there - named == set(), "columns without a class in include/sql/state/personal_data.yaml"
    assert named - there == set(), "columns that don't exist any more"


def test_H10_whatever_is_of_a_person_has_an_end_and_is_told() -> None:
    """By the file itself, and in security.md's table, with each column that is readable."""
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    told = text.partition("## Which personal data is where")[2].partition("\n## ")[0]
    for name, its in classified().items():
        of_people = its.of("personal") + its.of("pseudonymous")
        assert bool(of_people) == bool(its.until), name
        assert not of_people or f"`{name}" in told, name
        for column in its.of("personal"):
            assert re.search(rf"`{name}[^|]*`(\w+\.)?{column}`|`{name}\.{column}`", told), column


def test_H10_what_retention_is_said_to_delete_is_a_key_of_it() -> None:
    """And each of its keys is said of some table."""
    from contact_sync.config.retention import Retention

    said = {key for its in classified().values() for key in RETENTION.findall(its.until)}
    assert said == set(Retention.model_fields)
