"""docs/reference.md says what the code says."""

from __future__ import annotations

from local.docs_generator.__main__ import DOCUMENT, document
from local.postgres.server import Cluster


def test_the_reference_is_up_to_date(cluster: Cluster, state_template: str) -> None:
    """`make docs` writes it."""
    assert DOCUMENT.read_text(encoding="utf-8") == document(cluster.url(state_template))
