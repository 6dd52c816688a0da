"""What is made from the code and the migrations says what they say."""

from __future__ import annotations

from local.docs_generator import architecture, sendgrid_behaviour, state_schema
from local.docs_generator.__main__ import DOCUMENT, document
from local.docs_generator.crash_points import crash_lines
from local.postgres.server import Cluster
from tests.support.crashes import all_points


def test_the_reference_is_up_to_date(cluster: Cluster, state_template: str) -> None:
    """`make docs` writes it."""
    assert DOCUMENT.read_text(encoding="utf-8") == document(cluster.url(state_template))


def test_the_architecture_is_up_to_date() -> None:
    """`make docs` writes it from the tables of lives, the layers and the numbers in the code."""
    assert architecture.DOCUMENT.read_text(encoding="utf-8") == architecture.page()


def test_the_architecture_says_of_every_fail_point_what_a_crash_leaves() -> None:
    """Each with what is stored then and who continues, and none that the package hasn't."""
    _, _, *rows = crash_lines()
    told = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]
    points = all_points() | all_points("verify") | all_points("erasure")
    assert {name.strip("`") for name, *_ in told} == points
    assert all(stored and continues for _, _, stored, continues in told)


def test_the_listed_schema_is_what_the_migrations_make(
    cluster: Cluster, state_template: str
) -> None:
    """`make docs` writes it; nobody has to replay the migrations to know a table."""
    listed = state_schema.DOCUMENT.read_text(encoding="utf-8")
    assert listed == state_schema.read_schema(cluster.url(state_template))


def test_the_listed_schema_has_every_column_key_and_meaning() -> None:
    """It is pg_dump's, in another order: a sample of each kind of thing."""
    listed = state_schema.DOCUMENT.read_text(encoding="utf-8")
    for line in (
        "-- The clients that one task reads.\nCREATE TABLE contact_sync.slice (\n",
        "    name text NOT NULL,  -- The definition's name.\n",
        "    CONSTRAINT run_kind_check CHECK (",
        "ADD CONSTRAINT ledger_pkey PRIMARY KEY (sync_id, client_id);\n",
        "CREATE INDEX ledger_stale ON contact_sync.ledger ",
        "CREATE VIEW contact_sync.batch_contact AS\n",
        "REFERENCES contact_sync.run(run_id) ON DELETE CASCADE;\n",
    ):
        assert line in listed


def test_the_page_of_what_nobody_documents_is_up_to_date() -> None:
    """`make docs` writes it from the questions of a probe."""
    assert sendgrid_behaviour.DOCUMENT.read_text(encoding="utf-8") == sendgrid_behaviour.page()
