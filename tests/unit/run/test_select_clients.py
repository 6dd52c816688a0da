"""Which clients a run looks at, against a plain Python reference."""

from __future__ import annotations

from collections.abc import Set
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contact_sync.base.client_life import Cause, Fate
from contact_sync.base.json_columns import SourceSnapshot
from contact_sync.base.vocabulary import RunKind
from contact_sync.base.words import counted
from contact_sync.contacts.ledger_rows import KnownClients
from contact_sync.contacts.selection import (
    EXCLUDED,
    SEND,
    SHARED,
    TAKES_OVER,
    Scan,
    choose,
    lost_shared_address,
)
from contact_sync.run.run_kind import decide_kind
from contact_sync.run.select_clients import cut_slices
from contact_sync.state.runs import SyncState
from tests.support.samples import define

MARK = {
    "horizon": "1000", "read_at": "2026-01-01T00:00:00.000000Z", "system_identifier": "7",
    "timeline": 1, "detection": "xmin", "database": "5", "started": "then", "tables": {"a": "1"},
    "statements": "s1",
}  # fmt: skip
HERE = MARK | {"next_xid": "2000"}


def scan(clients: dict[int, int], excluded: Set[int] = frozenset()) -> Scan:
    """Clients with the hashes of their addresses."""
    ids = sorted(clients)
    return Scan(
        np.array(ids, np.int64),
        np.array([clients[i] for i in ids], np.int64),
        np.array([i in excluded for i in ids], bool),
    )


def ledger(rows: dict[int, tuple[int, int, str]]) -> KnownClients:
    """Client → (address hash in the source, hash of the contact's address, state), and after the
    state perhaps " by " and its cause."""
    ids = sorted(rows)
    email, contact = (np.array([rows[i][n] for i in ids], np.int64) for n in (0, 1))
    words = [rows[i][2].upper().partition(" BY ") for i in ids]
    fate = np.array([Fate[state] for state, _, _ in words], np.int16)
    cause = np.array([Cause[by or "ITSELF"] for _, _, by in words], np.int16)
    return KnownClients(np.array(ids, np.int64), email, contact, fate, cause)


def chosen(
    clients: dict[int, int],
    known: dict[int, tuple[int, int, str]],
    changed: tuple[int, ...] = (),
    **options: Any,
) -> dict[int, int]:
    """Client → verdict of those that an incremental run looks at."""
    rows = ledger(known)
    found = choose(
        scan(clients, options.get("excluded", frozenset())), rows, np.array(changed, np.int64),
        rows.contact_hash, everyone=options.get("everyone", False),
    )  # fmt: skip
    pairs = zip(*(found.column(name).to_pylist() for name in ("client_id", "verdict")), strict=True)
    return dict(pairs)


DONE = "confirmed"


@pytest.mark.parametrize(
    ("clients", "known", "changed", "expected"),
    [
        ({1: 11, 2: 22}, {1: (11, 11, DONE), 2: (22, 22, DONE)}, (), {}),
        ({1: 11, 2: 22}, {1: (11, 11, DONE)}, (), {2: SEND}),
        ({1: 11}, {1: (11, 11, DONE)}, (1,), {1: SEND}),
        ({1: 12}, {1: (11, 11, DONE)}, (), {1: SEND}),
        ({1: 11}, {1: (11, 0, "pending")}, (), {1: SEND}),
        ({1: 11}, {1: (11, 0, "rejected")}, (), {}),
        ({1: 0}, {1: (0, 0, "rejected")}, (), {}),
    ],
    ids=["nothing", "new", "changed", "moved", "pending", "rejected", "no address"],
)
def test_an_incremental_run_looks_at(
    clients: dict[int, int],
    known: dict[int, tuple[int, int, str]],
    changed: tuple[int, ...],
    expected: dict[int, int],
) -> None:
    """New, changed, moved and unfinished clients; nobody else."""
    assert chosen(clients, known, changed) == expected


def test_B04_B05_right_to_a_shared_address() -> None:
    """The newest client represents it; when it goes, the other one is found although unchanged."""
    known = {1: (11, 0, "shared"), 2: (11, 11, DONE)}
    assert chosen({1: 11, 2: 11}, known) == {}
    assert chosen({1: 11, 2: 22}, known) == {1: SEND | TAKES_OVER, 2: SEND}
    assert chosen({1: 11}, known) == {1: SEND | TAKES_OVER}
    assert chosen({1: 11, 2: 11, 3: 11}, known) == {2: SHARED, 3: SEND | TAKES_OVER}


def test_B04_an_exclusion_on_any_client_of_an_address_wins() -> None:
    """Also over the newest; and it is found when it comes and when it goes."""
    known = {1: (11, 0, "excluded"), 2: (11, 11, DONE)}
    found = chosen({1: 11, 2: 11}, known, excluded={1})
    assert {client: verdict & EXCLUDED for client, verdict in found.items()} == {2: EXCLUDED}
    excluded = {1: (11, 0, "shared"), 2: (11, 11, "excluded")}
    assert chosen({1: 11, 2: 11}, excluded) == {2: SEND}


ALONE, OLDER, NEWER = {1: 11}, {1: 11, 2: 11}, {0: 11, 1: 11}
BY_HAND = "excluded by sendgrid"


@pytest.mark.parametrize(
    ("fate", "clients", "excluded", "is_chosen"),
    [
        (DONE, ALONE, set(), False), (DONE, OLDER, set(), True), (DONE, NEWER, set(), False),
        (DONE, ALONE, {1}, True), (DONE, OLDER, {2}, True),
        ("rejected", ALONE, set(), False), ("rejected", OLDER, set(), False),
        ("rejected", OLDER, {2}, True), ("rejected", ALONE, {1}, True),
        ("rejected by sendgrid", ALONE, set(), False),
        ("rejected by sendgrid", OLDER, set(), True),
        ("shared", ALONE, set(), True), ("shared", OLDER, set(), False),
        ("shared", OLDER, {1}, True), ("shared", OLDER, {2}, True), ("shared", NEWER, set(), True),
        ("excluded", ALONE, set(), True), ("excluded", ALONE, {1}, False),
        ("excluded", OLDER, {1}, False), ("excluded", OLDER, {2}, True),
        ("excluded", OLDER, {1, 2}, False), ("excluded", OLDER, set(), True),
        ("excluded by address", ALONE, set(), True), ("excluded by address", OLDER, {2}, False),
        ("excluded by address", OLDER, {1}, True), ("excluded by address", OLDER, {1, 2}, True),
        ("excluded by address", OLDER, set(), True),
        (BY_HAND, ALONE, set(), False), (BY_HAND, OLDER, set(), True), (BY_HAND, ALONE, {1}, True),
        (BY_HAND, OLDER, {2}, True),
    ],
)  # fmt: skip
def test_B04_A09_who_is_kept_back_for_another_reason_than_before_is_looked_at(
    fate: str, clients: dict[int, int], excluded: set[int], is_chosen: bool
) -> None:
    """Client 1, of each fate, unchanged, with others of its address or alone."""
    known = dict.fromkeys(clients, (11, 11, DONE)) | {1: (11, 11, fate)}
    assert (1 in chosen(clients, known, excluded=excluded)) == is_chosen


def test_clients_without_address_do_not_share_one() -> None:
    """No address is not an address."""
    assert chosen({1: 0, 2: 0}, {}) == {1: SEND, 2: SEND}


def test_a_full_run_looks_at_everyone() -> None:
    """Whatever the ledger says."""
    known = {1: (11, 11, DONE), 2: (22, 22, DONE)}
    assert set(chosen({1: 11, 2: 22}, known, everyone=True)) == {1, 2}


@given(st.dictionaries(st.integers(1, 60), st.integers(0, 8), max_size=40))
def test_B04_the_highest_id_has_the_address(clients: dict[int, int]) -> None:
    """Whatever the order and number of clients."""
    lost = lost_shared_address(scan(clients))
    losers = {client for client, is_lost in zip(sorted(clients), lost, strict=True) if is_lost}
    assert losers == {
        client
        for client, address in clients.items()
        if address and any(other > client and clients[other] == address for other in clients)
    }


@given(st.integers(0, 500), st.integers(1, 90))
def test_slices_are_balanced_whatever_the_gaps(clients: int, size: int) -> None:
    """Everyone once, none over the limit, sizes differ by one, ranges don't overlap."""
    members = choose(
        scan({n * n: n + 1 for n in range(clients)}), ledger({}), np.empty(0, np.int64),
        np.empty(0, np.int64), everyone=True,
    )  # fmt: skip
    slices = cut_slices(members, size)
    seen = [i for part in slices for i in part.members.column("client_id").to_pylist()]
    assert seen == [n * n for n in range(clients)]
    sizes = [part.members.num_rows for part in slices] or [0]
    assert max(sizes) <= size
    assert max(sizes) - min(sizes) <= 1
    assert all(a.last_id < b.first_id for a, b in pairwise(slices))


def known(**changes: Any) -> SyncState:
    """A sync that ran a while ago."""
    row: dict[str, Any] = {
        "sync_id": 1, "epoch": 1, "watermark": SourceSnapshot.from_json(MARK),
        "mapping_version": "v", "fields": [], "full_age_hours": 1.0,
        "now": datetime(2026, 1, 1, tzinfo=UTC),
    }  # fmt: skip
    return SyncState(**(row | changes))


RESTARTED = (known(), HERE | {"started": "now"}, "server_restarted")


@pytest.mark.parametrize(
    ("state", "position", "why"),
    [
        (known(watermark=None), HERE, "first_load"),
        (known(mapping_version="old"), HERE, "mapping_changed"),
        (known(), HERE | {"system_identifier": "8"}, "server_replaced"),
        (known(), HERE | {"timeline": 2}, "server_replaced"),
        (known(), HERE | {"next_xid": "900"}, "server_replaced"),
        (known(), HERE | {"database": "6"}, "server_replaced"),
        RESTARTED,
        (known(), HERE | {"tables": {"a": "2"}}, "tables_replaced: a"),
        (known(), HERE | {"tables": {"a": "1", "b": "1"}}, "tables_replaced: b"),
        (known(), HERE | {"detection": "updated_at"}, "detection_switched"),
        (known(), HERE | {"statements": "s2"}, "statements_changed"),
        (known(), HERE | {"next_xid": str(2**31)}, "xmin_too_old"),
        (known(full_age_hours=24.5), HERE, "full_run_due: 24"),
        (known(full_age_hours=None), HERE, "full_run_due: 24"),
    ],
)
def test_A15_A16_R06_when_a_run_has_to_be_full(
    state: SyncState, position: dict[str, Any], why: str
) -> None:
    """Whenever an incremental run could miss something."""
    here = SourceSnapshot.from_json(position)
    kind, reason, detail = decide_kind(define(), RunKind.INCREMENTAL, state, here, "v")
    assert (kind, counted(reason, detail)) == (RunKind.FULL, why)


def test_else_it_is_what_was_asked_for() -> None:
    """Incremental from the watermark; full and resend as asked."""
    here = SourceSnapshot.from_json(HERE)
    found = decide_kind(define(), RunKind.INCREMENTAL, known(), here, "v")
    assert found == (RunKind.INCREMENTAL, "changes_since", MARK["read_at"])
    for asked in (RunKind.FULL, RunKind.RESEND):
        assert decide_kind(define(), asked, known(), here, "v") == (asked, "asked_for", None)
