"""What a person who maps fields is shown of B2CORE: columns with a few veiled values."""

from __future__ import annotations

from contact_sync.base.errors import ConfigError
from contact_sync.lookup.both_sides import Account, seen_account, seen_columns
from contact_sync.sendgrid.api import SendGridApi
from tests.support.world import World


def test_no_value_of_a_client_is_shown_whole(world: World) -> None:
    """Three different ones of each column at most, each veiled; a column may have none."""
    for name in ("Ann", "Bob", "Cid", "Dee", "Eve"):
        world.add(f"{name}@example.com", first_name=name, last_name="Same")
    with world.sync() as sync:
        found = seen_columns(lambda: sync.b2core)
    assert found.problem == ""
    samples = {column.name: column.samples for column in found.columns or []}
    assert len(samples["first_name"]) == 3
    assert set(samples["first_name"]) <= {"A***", "B***", "C***", "D***", "E***"}
    assert set(samples["email"]) <= {f"{letter}***@e***.com" for letter in "ABCDE"}
    assert samples["last_name"] == ("S***",)
    assert samples["city"] == ()


def test_an_empty_b2core_has_columns_all_the_same(world: World) -> None:
    """Nothing to show, and nothing is wrong."""
    with world.sync() as sync:
        found = seen_columns(lambda: sync.b2core)
    assert {"client_id", "email", "status"} <= {column.name for column in found.columns or []}
    assert not any(column.samples for column in found.columns or [])
    assert found.problem == ""


def test_a_side_that_cannot_be_opened_says_why() -> None:
    """Also for what nobody foresaw, whose text is withheld."""

    def without() -> SendGridApi:
        raise ConfigError("no such connection")

    def unforeseen() -> SendGridApi:
        raise ZeroDivisionError("ann@example.com")

    assert seen_account(without) == Account(None, None, "no such connection")
    said = seen_account(unforeseen).problem
    assert "ZeroDivisionError" in said
    assert "ann" not in said
