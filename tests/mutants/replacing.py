"""Rules about what databases do to a source: fields emptied, servers and tables replaced, ids given
to others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.integration.runs import test_clear_limits
from tests.mutants.mutant import RUN, STATE, Mutant


def nothing_emptied(_emptied: Any, *_: Any) -> Counter[str]:
    """Nobody loses a value."""
    return Counter()


def of_a_crowd(count_having: Callable[..., dict[str, int]], *args: Any) -> dict[str, int]:
    """As if many more had the field."""
    return {name: n + 1_000 for name, n in count_having(*args).items()}


MUTANTS = [
    Mutant("A field that is emptied in many contacts is a matter of limits",
           {f"{RUN}.compare._emptied": nothing_emptied},
           test_clear_limits.test_R05_a_field_that_is_mapped_to_an_empty_column_is),
    Mutant("The share of a field is of the contacts that have it",
           {f"{STATE}.ledger.count_having": of_a_crowd},
           test_clear_limits.test_R05_few_may_lose_a_value),
]  # fmt: skip
