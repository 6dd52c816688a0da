"""Each protective rule is switched off, from outside: a test of the suite must notice.

The suite runs the same tests with the same cases where they are, without the mutants.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import Any

import pytest

from contact_sync.base.vocabulary import JobStatus
from tests.mutants import (
    borders,
    consenting,
    doubting,
    erasing,
    going_back,
    leases,
    looking,
    moving,
    probing,
    pruning,
    reading,
    refusing,
    removing,
    repairing,
    replacing,
    sending,
    setting_up,
    showing,
    staging,
    telling,
    verifying,
)
from tests.mutants.mutant import Mutant, Test, arguments, assert_notices, gives, is_a_case, nothing
from tests.support import canary

WRITTEN = [
    m
    for file in (
        leases,
        sending,
        doubting,
        refusing,
        reading,
        looking,
        removing,
        moving,
        borders,
        replacing,
        going_back,
        setting_up,
        verifying,
        repairing,
        erasing,
        consenting,
        pruning,
        showing,
        staging,
        probing,
        telling,
    )
    for m in file.MUTANTS
]
MUTANTS = {mutant.rule: mutant for mutant in WRITTEN}
EACH = pytest.mark.parametrize("rule", MUTANTS)
USED = "contact_sync.base.vocabulary.JobStatus.is_terminal"


@EACH
def test_the_suite_notices(request: pytest.FixtureRequest, rule: str) -> None:
    """By an assertion of the test's own; what the mutant tells is not the package's word."""
    mutant = MUTANTS[rule]
    assert_notices(mutant, arguments(mutant, request))
    canary.hits.take()
    if "world" in request.fixturenames:  # what the mutant sent is audited in vain
        request.getfixturevalue("world").audit.known.clear()


@EACH
def test_the_suite_runs_the_noticing_test_without_the_mutant(rule: str) -> None:
    """With the same case, so that it is seen to pass."""
    assert is_a_case(MUTANTS[rule].noticed_by, MUTANTS[rule].case)


def test_no_two_mutants_are_alike() -> None:
    """No function is replaced twice by the same, and each rule stands there once."""
    changes = Counter(chain.from_iterable(mutant.instead.items() for mutant in WRITTEN))
    assert [change for change, n in changes.items() if n > 1] == []
    assert len(WRITTEN) == len(MUTANTS)


def fails_anyway() -> None:
    """A noticing test that is broken."""
    pytest.fail("whatever is switched off")


def passes() -> None:
    """A noticing test that doesn't notice."""
    assert JobStatus.PENDING.is_terminal is not None


def breaks() -> None:
    """A noticing test that ends by an accident."""
    raise ZeroDivisionError(JobStatus.PENDING.is_terminal)


def lies(*_: Any) -> None:
    """A replacement with an assertion of its own."""
    raise AssertionError


@pytest.mark.parametrize(
    ("target", "instead", "test", "error", "told"),
    [
        ("contact_sync.run.in_one_process.gone", nothing, fails_anyway, AttributeError, "gone"),
        ("contact_sync.gone.settle_earlier_runs", nothing, fails_anyway, AttributeError, "gone"),
        (USED, gives(True), fails_anyway, AssertionError, "nothing was switched off"),
        (USED, gives(True), passes, pytest.fail.Exception, "DID NOT RAISE"),
        (USED, gives(True), breaks, ZeroDivisionError, "False|True"),
        (USED, lies, passes, AssertionError, "is not the test's"),
    ],
    ids=["no such name", "no such file", "not used", "not noticed", "an accident", "not the test"],
)
def test_a_mutant_that_proves_nothing_fails(
    target: str, instead: Any, test: Test, error: type[BaseException], told: str
) -> None:
    """Gone from the package, never called, not noticed, or noticed by somebody else."""
    with pytest.raises(error, match=told):
        assert_notices(Mutant("", {target: instead}, test), {})
