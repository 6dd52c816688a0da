"""R05: one field that is emptied in many contacts is a plan that a person sees, whatever did it."""

from __future__ import annotations

from typing import Any

import pytest

from contact_sync.base.errors import FatalError
from contact_sync.verify.repair import repair
from tests.support.damage import put
from tests.support.verified import verify
from tests.support.world import World

FEW = {"clears": {"contacts": 2, "share": 0.5}}
ASKS = "{} would be emptied in {} of the 6 contacts that have it, the limit is {}"
PHONES, ADDRESSES = "b2core.client_phones", "b2core.client_addresses"


@pytest.fixture
def limited(world: World) -> World:
    """Six clients with all values, of which a field may be emptied in three."""
    world.redefine(limits=FEW)
    for n in range(6):
        here = {"city": "Zürich", "country_id": 2, "postal_code": f"800{n}"}
        phone = f"+49301234560{n}"
        world.add(f"c{n}@example.com", phone=phone, address=here, jurisdiction_id=1)
    world.run()
    return world


def asks(world: World, *fields: str, kind: str, n: int = 6) -> None:
    """The run sends nothing and names these fields; approved, it does what B2CORE says."""
    calls, before = world.writes(), world.contacts()
    with pytest.raises(FatalError) as said:
        world.run(kind)
    for field in fields:
        assert ASKS.format(field, n, 3) in str(said.value)
    assert str(said.value).count("would be emptied") == len(fields)
    assert (world.writes(), world.contacts()) == (calls, before)
    world.run(kind, approve=True)
    world.assert_converged()


@pytest.mark.parametrize("lane", ["json", "csv"])
@pytest.mark.parametrize(
    ("lost", "kind", "fields"),
    [
        (f"UPDATE {PHONES} SET phone = NULL", "incremental", ["phone_number"]),
        (f"UPDATE {PHONES} SET phone = 'call me'", "incremental", ["phone_number"]),
        (f"DELETE FROM {PHONES}", "full", ["phone_number"]),
        (f"TRUNCATE {PHONES}", "full", ["phone_number"]),
        (f"UPDATE {ADDRESSES} SET country_id = NULL", "incremental", ["country"]),
        ("UPDATE b2core.clients SET jurisdiction_id = NULL", "incremental", ["Jurisdiction"]),
        ("UPDATE b2core.jurisdictions SET caption = ''", "incremental", ["Jurisdiction"]),
        (f"TRUNCATE {ADDRESSES}", "full", ["city", "country", "postal_code"]),
        ("UPDATE b2core.clients SET email = 'x' || email, first_name = ''", "incremental",
         ["first_name"]),
    ],
    ids=["values gone", "values invalid", "rows gone", "truncated", "join column gone",
         "reference gone", "lookup emptied", "several fields", "and the addresses moved"],
)  # fmt: skip
def test_R05_a_field_that_many_lose_asks_a_person(
    limited: World, lost: str, kind: str, fields: list[str], lane: str
) -> None:
    """Rows deleted, values gone or unreadable, a join that gives nothing: it is all the same."""
    limited.redefine(lane=lane)
    limited.sql(lost)
    asks(limited, *fields, kind=kind)


def test_R05_a_resend_asks_all_the_same(limited: World) -> None:
    """A person who sends everything again has not said that a field may be lost."""
    limited.sql(f"TRUNCATE {PHONES}")
    asks(limited, "phone_number", kind="resend")


def test_R05_what_others_typed_is_no_loss_of_a_client(limited: World) -> None:
    """A resend takes it away: nothing that the sync has sent is lost."""
    limited.sql(f"UPDATE {ADDRESSES} SET line2 = NULL")
    for email in list(limited.contacts()):
        limited.emulator.admin.put_contacts({"email": email, "address_line_2": "by hand"})
    limited.run("resend")
    limited.assert_converged()


def test_R05_what_a_repair_empties_is_no_loss_of_a_client(limited: World) -> None:
    """Somebody has typed it in at SendGrid, a verification has found it: the sync never sent it."""
    for n in range(6):
        put(limited, f"c{n}@example.com", address_line_2="typed")
    verify(limited)
    with limited.sync() as sync:
        repair(sync)
    assert limited.run()["counts"]["cleared"] == 6
    limited.assert_converged()


def test_R05_a_first_load_is_unaffected(limited: World) -> None:
    """New clients, and those that lack a value already, lose nothing."""
    for n in range(6):
        limited.add(f"new{n}@example.com")
    assert limited.run()["counts"]["new"] == 6
    limited.sql("UPDATE b2core.clients SET first_name = 'Ana'")
    limited.run()
    limited.assert_converged()


def test_R05_few_may_lose_a_value(limited: World) -> None:
    """As the clients of one country do: half of those that have it may, and only they count."""
    limited.sql(f"UPDATE {PHONES} SET phone = NULL WHERE client_id <= 3")
    limited.run()
    limited.assert_converged()
    limited.sql(f"UPDATE {PHONES} SET phone = NULL")
    with pytest.raises(FatalError, match="in 3 of the 3 contacts that have it, the limit is 2"):
        limited.run()


def test_R05_few_of_each_of_many_fields_are_few(limited: World) -> None:
    """The limit is of a field; contacts that change at all have one of their own."""
    limited.sql(f"UPDATE {PHONES} SET phone = NULL WHERE client_id <= 3")
    limited.sql(f"UPDATE {ADDRESSES} SET city = NULL WHERE client_id > 3")
    limited.run()
    limited.assert_converged()


def test_R05_a_field_that_is_not_mapped_any_more_is_not_emptied(limited: World) -> None:
    """The definition's word: SendGrid keeps the values."""
    data = limited.definition.model_dump(mode="json")
    fields = {name: to for name, to in data["fields"].items() if name != "phone_number"}
    limited.redefine(fields=fields)
    assert limited.run()["kind"] == "full"
    assert all(contact["phone_number"] for contact in limited.contacts().values())


def test_R05_a_field_that_is_mapped_to_an_empty_column_is(limited: World) -> None:
    """The definition says so, too, but a slip of the pen does the same."""
    data: dict[str, Any] = limited.definition.model_dump(mode="json")
    data["fields"]["city"]["column"] = "address_line_2"
    limited.redefine(fields=data["fields"])
    with pytest.raises(FatalError, match=ASKS.format("city", 6, 3)):
        limited.run()


def test_R05_one_value_for_all_is_a_change(limited: World) -> None:
    """Nothing is emptied: the limit of changed contacts is the one that sees it."""
    limited.sql(f"UPDATE {PHONES} SET phone = '+493012345600'")
    limited.redefine(limits=FEW | {"changes": {"contacts": 2, "share": 0.0}})
    with pytest.raises(FatalError, match="5 contacts would be changed, the limit is 2"):
        limited.run()


def test_R05_a_dry_run_says_what_would_be_asked(limited: World) -> None:
    """Field and numbers, and nothing is written."""
    limited.sql(f"TRUNCATE {PHONES}")
    report = limited.run("full", dry_run=True)
    assert report["above_limits"] == [ASKS.format("phone_number", 6, 3)]


def test_R05_a_refused_plan_is_asked_about_again(limited: World) -> None:
    """Nothing is forgotten: until the values are back, or somebody approves."""
    limited.sql(f"CREATE TABLE public.saved AS SELECT * FROM {PHONES}; TRUNCATE {PHONES}")
    for _ in range(2):
        with pytest.raises(FatalError, match="phone_number would be emptied"):
            limited.run("full")
    limited.sql(f"INSERT INTO {PHONES} OVERRIDING SYSTEM VALUE SELECT * FROM public.saved")
    limited.sql("DROP TABLE public.saved")
    assert limited.run("full")["counts"]["sent"] == 0
    limited.assert_converged()
