"""Errors say what happened without saying to whom."""

from __future__ import annotations

import signal

import pytest

from contact_sync.base.errors import ConfigError, Stopped, Unforeseen, told_safely


def fail(address: str) -> None:
    """Raise as a library does, with the row's value in the text."""
    raise ValueError(f"can't convert {address}")


def test_G10_an_unforeseen_error_says_where_but_not_what() -> None:
    """Its text may hold personal data; its place and type help as much."""
    with pytest.raises(ValueError, match=r"ann@example\.com") as caught:
        fail("ann@example.com")
    told = told_safely(caught.value)
    assert isinstance(told, Unforeseen)
    assert "ann@example.com" not in str(told)
    assert "ValueError" in str(told)
    line = fail.__code__.co_firstlineno + 2
    assert f"test_errors.py:{line} fail" in str(told)


def test_our_own_errors_are_told_as_they_are() -> None:
    """They hold nothing personal by construction."""
    error = ConfigError("the list is missing")
    assert told_safely(error) is error


@pytest.mark.parametrize(
    ("error", "name", "code"),
    [
        (KeyboardInterrupt(), "SIGINT", 130),
        (KeyboardInterrupt(signal.SIGTERM), "SIGTERM", 143),
    ],
)
def test_a_stop_is_told_with_its_signal(error: KeyboardInterrupt, name: str, code: int) -> None:
    """With the exit code that shells and schedulers know."""
    told = told_safely(error)
    assert isinstance(told, Stopped)
    assert told.exit_code == code
    assert str(told).startswith(f"Stopped by {name}.")
