"""An emulated account for probes, whose clock moves when a probe waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contact_sync.probe.account import Account
from contact_sync.probe.made import Made
from contact_sync.probe.patient import Clock
from contact_sync.sendgrid.raw_calls import RawCalls
from local.sendgrid_emulator.process import Emulator
from tests.support.world import API_KEY

REAL_PAUSE = 0.001
"""Real seconds, for each second that a probe waits and one more: the emulator does what is due."""
Opened = Callable[..., Account]


@pytest.fixture
def emulated(emulator_process: Emulator) -> Emulator:
    """An account with a list, a field and a contact that are no probe's."""
    admin = emulator_process.admin
    admin.reset()
    foreign = admin.create_list("Customers")
    admin.create_field("Status", "Text")
    admin.put_contacts({"email": "customer@example.org"}, list_ids=[foreign])
    return emulator_process


@pytest.fixture
def open_account(emulated: Emulator, tmp_path: Path) -> Iterator[Opened]:
    """Opens the account for a probe, each time over connections of its own."""
    opened: list[RawCalls] = []
    ahead = 0.0  # of our clock; another one after each reset

    def now() -> float:
        return time.time() + ahead

    def sleep(seconds: float) -> None:
        nonlocal ahead
        ahead = emulated.admin.advance(seconds) - time.time()
        time.sleep(REAL_PAUSE * (1 + seconds))

    def account(made: Made | None = None) -> Account:
        nonlocal ahead
        ahead = emulated.admin.now() - time.time()
        calls = RawCalls(emulated.base_url, API_KEY)
        opened.append(calls)
        if made is None:
            names = ("sendgrid_probed", "7f3a9c", "probe-{token}-{n}@example.org", "probe's list")
            made = Made(tmp_path / "probe.json", *names, now())
        return Account(calls, made, Clock(now, sleep))

    yield account
    for calls in opened:
        calls.close()
