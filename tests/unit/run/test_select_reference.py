"""Who is looked at and with what verdict, against the rules written down for one client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from contact_sync.contacts.selection import EXCLUDED, PASSED_OVER, SEND, SHARED, TAKES_OVER, choose
from tests.unit.run.test_select_clients import ledger, scan

STATES = [
    "confirmed", "pending", "rejected", "rejected by sendgrid", "shared", "excluded",
    "excluded by address", "excluded by sendgrid",
]  # fmt: skip
IDS, ADDRESSES = st.integers(1, 12), st.integers(0, 4)
KNOWN = st.dictionaries(IDS, st.tuples(ADDRESSES, ADDRESSES, st.sampled_from(STATES)), max_size=10)


@dataclass
class World:
    """A snapshot of the source, what the ledger knows, and which addresses have a contact."""

    clients: dict[int, int]
    opted_out: set[int]
    known: dict[int, tuple[int, int, str]]
    changed: set[int]
    obsolete: set[int]

    @property
    def taken(self) -> list[int]:
        """Hashes of all addresses that have a contact."""
        return [*(contact for _, contact, _ in self.known.values()), *self.obsolete]

    def verdict(self, client: int) -> int:
        """The rules for one client, one after the other."""
        address = self.clients[client]
        others = [c for c, a in self.clients.items() if a == address and address]
        if client in self.opted_out or self.opted_out & set(others):
            verdict = EXCLUDED
        elif self.represents(address, others) not in (client, None):
            passed_over = self.stays_rejected(client) and self.represents(address, others) < client
            verdict = SHARED | (PASSED_OVER if passed_over else 0)
        else:
            verdict = SEND
        own = client in self.known and self.known[client][1] == address
        return verdict | (TAKES_OVER if address in self.taken and address and not own else 0)

    def represents(self, address: int, others: list[int]) -> Any:
        """Who represents an address: the newest of those that can be sent, if there are any."""
        able = [client for client in others if not self.stays_rejected(client)]
        return max(able or others) if address else None

    def stays_rejected(self, client: int) -> bool:
        """Whether it was rejected with the same address, and nobody has changed it since."""
        address, _, state = self.known.get(client, (0, 0, ""))
        same = address in (0, self.clients[client])
        return state.startswith("rejected") and same and client not in self.changed

    def is_looked_at(self, client: int) -> bool:
        """Whether an incremental run has a reason to."""
        if client not in self.known or client in self.changed:
            return True
        address, _, state = self.known[client]
        return (
            address != self.clients[client]
            or state == "pending"
            or state not in self.states_of(client)
        )

    def states_of(self, client: int) -> list[str]:
        """The states in which nothing has changed for the client."""
        verdict = self.verdict(client) & ~TAKES_OVER
        if verdict == EXCLUDED:
            return ["excluded" if client in self.opted_out else "excluded by address"]
        if verdict == SHARED | PASSED_OVER:
            return ["shared", "rejected", "rejected by sendgrid"]
        if verdict == SHARED:
            return ["shared", "rejected"]
        return ["confirmed", "rejected", "rejected by sendgrid", "excluded by sendgrid"]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Few clients and addresses, so that they meet."""
    clients = draw(st.dictionaries(IDS, ADDRESSES, max_size=10))
    some = st.sets(st.sampled_from(sorted(clients))) if clients else st.just(set[int]())
    return World(clients, draw(some), draw(KNOWN), draw(some), draw(st.sets(ADDRESSES, max_size=2)))


def found(world: World, *, everyone: bool) -> dict[int, int]:
    """Client → verdict."""
    table: Any = choose(
        scan(world.clients, world.opted_out), ledger(world.known),
        np.array(sorted(world.changed), np.int64), np.array(world.taken, np.int64),
        everyone=everyone,
    )  # fmt: skip
    assert table.column("email_hash").to_pylist() == [
        world.clients[client] for client in table.column("client_id").to_pylist()
    ]
    return dict(
        zip(table.column("client_id").to_pylist(), table.column("verdict").to_pylist(), strict=True)
    )


@given(worlds())
def test_a_full_run_judges_everyone_by_the_rules(world: World) -> None:
    """Opt-outs win over newest clients, newest clients over older ones."""
    assert found(world, everyone=True) == {c: world.verdict(c) for c in world.clients}


@given(worlds())
def test_an_incremental_run_looks_at_whoever_has_a_reason(world: World) -> None:
    """Nobody more, nobody less, with the same verdicts as a full run."""
    assert found(world, everyone=False) == {
        c: world.verdict(c) for c in world.clients if world.is_looked_at(c)
    }


@given(worlds())
def test_B04_at_most_one_client_of_an_address_is_sent(world: World) -> None:
    """Two would overwrite each other for ever."""
    verdicts = found(world, everyone=True)
    sent = [world.clients[c] for c, v in verdicts.items() if not v & (SHARED | EXCLUDED)]
    addresses = [address for address in sent if address]
    assert len(addresses) == len(set(addresses))
