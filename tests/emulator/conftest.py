"""One emulator for all tests of this folder, empty before each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.sendgrid_emulator.process import Emulator, start_emulator
from tests.support.api_caller import SendGrid

API_KEY = "SG.emulator-tests"
READ_KEY = "SG.read-only"
POWERLESS_KEY = "SG.powerless"


@pytest.fixture(scope="session")
def running() -> Iterator[Emulator]:
    """An emulator without delays; tests of time set some and move the clock."""
    with start_emulator(
        api_key=API_KEY,
        empty_cell="keep",
        delay=0,
        keys={READ_KEY: "read", POWERLESS_KEY: "none"},
        settings={"finish_delay": 0},
    ) as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """These tests put addresses into URLs themselves; what is logged of that says nothing."""
    caplog.set_level("WARNING", logger="urllib3")


@pytest.fixture
def emulator(running: Emulator) -> Emulator:
    """The emulator with an empty account and the settings of the start."""
    running.admin.reset()
    return running


@pytest.fixture
def sendgrid(emulator: Emulator) -> SendGrid:
    """A caller with full access to the empty account."""
    return SendGrid(emulator)
