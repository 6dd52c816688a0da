"""A protective rule that is switched off from outside, and the test that must notice."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark.structures import ParameterSet

RUN, SENDING, STATE, SENDGRID = (
    f"contact_sync.{name}" for name in ("run", "run.sending", "state", "sendgrid")
)
NOT_RUN = {"skip", "skipif", "xfail"}
Replacement = Callable[..., Any]
Test = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A rule, what keeps it, and who notices when it isn't kept.

    `instead`: the dotted path of a function, method or property of the package → what is called in
    its place, with the original before its own arguments. `case`: the values of the test's
    parameters; one of those that the suite runs the test with anyway.
    """

    rule: str
    instead: dict[str, Replacement]
    noticed_by: Test
    case: dict[str, Any] = field(default_factory=dict)


@contextmanager
def switched_off(mutant: Mutant) -> Iterator[set[str]]:
    """The mutant at work; gives what nobody has called yet of that which it replaces.

    Raises AttributeError or ImportError when the package has no such function any more.
    """
    unused = set(mutant.instead)
    with pytest.MonkeyPatch.context() as patch:
        for target, replacement in mutant.instead.items():
            patch.setattr(target, _replaced(target, replacement, unused))
        yield unused


def _replaced(target: str, replacement: Replacement, unused: set[str]) -> Any:
    found = pkgutil.resolve_name(target)
    original = found.fget if isinstance(found, property) else found

    def called(*args: Any, **options: Any) -> Any:
        unused.discard(target)
        return replacement(original, *args, **options)

    return property(called) if isinstance(found, property) else called


def nothing(_original: Any, *_: Any, **__: Any) -> None:
    """Instead of a function: do nothing."""


@cache
def gives(value: Any) -> Replacement:
    """Instead of a function: give a value and do nothing."""
    return lambda _original, *_, **__: value


def arguments(mutant: Mutant, request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the noticing test is called with: its case and its fixtures."""
    names = inspect.signature(mutant.noticed_by).parameters
    fixtures = [name for name in names if name not in mutant.case]
    return {**mutant.case, **{name: request.getfixturevalue(name) for name in fixtures}}


def assert_notices(mutant: Mutant, values: dict[str, Any]) -> None:
    """The test fails, by an assertion of its own or a missing error, and not by an accident."""
    with switched_off(mutant) as unused:
        try:
            with pytest.raises((AssertionError, pytest.fail.Exception)) as failure:
                mutant.noticed_by(**values)
        finally:
            if "monkeypatch" in values:  # its patches lie on top of the mutant's
                values["monkeypatch"].undo()
    where = Path(failure.traceback[-1].path)
    assert is_of_tests(where), f"The assertion is not the test's: {where}"
    assert not unused, f"Replaced but never called, so nothing was switched off: {unused}"


def is_of_tests(path: Path) -> bool:
    """Whether code is of the tests (save the mutants themselves) or of pytest."""
    here = Path(__file__).parent
    is_test = path.is_relative_to(here.parent) and not path.is_relative_to(here)
    return is_test or "_pytest" in path.parts


def is_a_case(test: Test, case: dict[str, Any]) -> bool:
    """Whether the suite runs the test with these values of its parameters, and it has no others."""
    marks = getattr(test, "pytestmark", [])
    if not test.__name__.startswith("test_") or NOT_RUN & {mark.name for mark in marks}:
        return False
    named: set[str] = set()
    for mark in (mark for mark in marks if mark.name == "parametrize"):
        names = mark.args[0]
        names = [n.strip() for n in names.split(",")] if isinstance(names, str) else list(names)
        named |= set(names)
        wanted = [case.get(name) for name in names]
        if wanted not in [_values(one, len(names)) for one in mark.args[1]]:
            return False
    return named == case.keys()


def _values(argument: Any, names: int) -> list[Any]:
    if isinstance(argument, ParameterSet):
        return list(argument.values)
    return [argument] if names == 1 else list(argument)
