"""What B2CORE's own connection does, row by row (S01, S04 to S08, S11 to S13), on real parts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from contact_sync.base.errors import ConfigError, SyncDisabled
from contact_sync.config.files import read_definitions
from tests.support.world import LIST_NAME, World, define

OPTIONAL = {
    "address_line_1": "Weg 1",
    "address_line_2": "c/o Lee",
    "city": "Zürich",
    "state_province_region": "ZH",
    "postal_code": "8001",
    "country": "Germany",
    "phone_number": "+41790000001",
}
"""What SendGrid holds of the client of `complete`."""


def complete(world: World) -> int:
    """A client with a value for every field."""
    address = {"line1": "Weg 1", "line2": "c/o Lee", "city": "Zürich", "state": "ZH",
               "postal_code": "8001", "country_id": 2}  # fmt: skip
    return world.add("ann@example.com", phone="+41790000001", address=address, jurisdiction_id=1)


def test_S01_syncs_with_unique_names_run_side_by_side(world: World) -> None:
    """Two syncs fill two lists of one account; each has its own state."""
    other_list = world.emulator.admin.create_list("Other list")
    other = replace(world, definition=define(name="other", list="Other list"), list_id=other_list)
    world.seed()
    assert world.run()["counts"]["sent"] == other.run()["counts"]["sent"] == 4
    assert other.run()["counts"]["sent"] == 0
    world.edit(1, first_name="Ana")
    assert world.run()["counts"]["sent"] == 1
    assert other.run()["counts"]["sent"] == 1
    for contact in world.contacts().values():
        assert set(contact["list_ids"]) == {world.list_id, other_list}
    world.assert_converged()


def test_S01_a_doubled_name_is_refused(tmp_path: Path) -> None:
    """A copy is reported, wherever it is sorted; the file that is called as the sync works on."""
    for file in ("demo copy.yaml", "demo.yaml", "z.yaml"):
        (tmp_path / file).write_text("name: demo\ncaption: Demo\n", encoding="utf-8")
    found = read_definitions(tmp_path)
    assert found.paths == {"demo": tmp_path / "demo.yaml"}
    assert sorted(found.broken) == ["demo copy.yaml", "z.yaml"]
    assert "names are unique" in found.broken["z.yaml"]


@pytest.mark.parametrize("kind", ["incremental", "full", "resend"])
def test_S04_a_disabled_sync_sends_nothing_and_says_so(world: World, kind: str) -> None:
    """Not one call leaves, and the message names the key to change."""
    world.seed()
    world.redefine(enabled=False)
    with pytest.raises(SyncDisabled, match=r"is disabled and sends nothing: set `enabled: true`"):
        world.run(kind)
    assert world.emulator.admin.calls() == []


def test_S05_first_load_sends_all_clients_whatever_their_status(world: World) -> None:
    """Active, Inactive, Banned, Deleted: every client becomes a contact."""
    statuses = {1: "Active", 2: "Inactive", 3: "Banned", 4: "Deleted"}
    for number in statuses:
        world.add(f"client{number}@example.com", status_id=number)
    report = world.run()
    assert report["kind"] == "full"
    assert report["kind_reason"] == "first_load"
    held = {mail: c["custom_fields"]["Status"] for mail, c in world.contacts().items()}
    assert held == {f"client{n}@example.com": name for n, name in statuses.items()}


@pytest.mark.parametrize(
    ("statement", "field", "value"),
    [
        ("UPDATE b2core.clients SET first_name = 'Ana'", "first_name", "Ana"),
        ("UPDATE b2core.clients SET last_name = 'Lo'", "last_name", "Lo"),
        ("UPDATE b2core.clients SET status_id = 3", "Status", "Banned"),
        ("UPDATE b2core.clients SET client_type_id = 2", "Client_type", "Corporate"),
        ("UPDATE b2core.clients SET verification_level_id = 4", "Verification_level", "Advanced"),
        ("UPDATE b2core.clients SET jurisdiction_id = 3", "Jurisdiction", "Gulf"),
        ("UPDATE b2core.client_phones SET phone = '+4915112345678'", "phone_number", None),
        ("UPDATE b2core.client_addresses SET line1 = 'Allee 2'", "address_line_1", "Allee 2"),
        ("UPDATE b2core.client_addresses SET country_id = 3", "country", "France"),
        ("UPDATE b2core.client_statuses SET name = 'On'", "Status", "On"),
        ("UPDATE b2core.client_types SET name = 'Person'", "Client_type", "Person"),
        ("UPDATE b2core.verification_levels SET caption = 'L0'", "Verification_level", "L0"),
        ("UPDATE b2core.jurisdictions SET caption = 'EU'", "Jurisdiction", "EU"),
        ("UPDATE b2core.countries SET name = 'Allemagne'", "country", "Allemagne"),
    ],
)
def test_S06_any_update_is_synced(
    world: World, statement: str, field: str, value: str | None
) -> None:
    """By the next incremental run, in whichever table it happened and without `updated_at`."""
    complete(world)
    world.run()
    world.sql(statement)
    report = world.run()
    assert (report["kind"], report["counts"]["sent"]) == ("incremental", 1)
    contact = world.contact("ann@example.com")
    held = {**contact, **contact["custom_fields"]}
    assert held[field] == (value or "+4915112345678")
    world.assert_converged()


def test_S07_email_and_names_are_always_mapped(world: World) -> None:
    """A definition without any mapping sends exactly these three."""
    complete(world)
    world.definition = define(fields={})
    world.run()
    expected = {"email": "ann@example.com", "first_name": "Ann", "last_name": "Lee"}
    assert world.contact("ann@example.com") == expected


@pytest.mark.parametrize("field", ["email", "first_name", "last_name"])
def test_S07_they_cannot_be_unmapped(field: str, tmp_path: Path) -> None:
    """The message names the file and the field."""
    text = f"name: demo\ncaption: Demo\nfields:\n  {field}: null\n"
    (tmp_path / "demo.yaml").write_text(text, encoding="utf-8")
    message = read_definitions(tmp_path).broken["demo.yaml"]
    assert "demo.yaml" in message
    assert f"field '{field}' has no column. It can't be unmapped." in message


@pytest.mark.parametrize("lane", ["json", "csv"])
def test_S08_optional_fields_are_synced_when_present(world: World, lane: str) -> None:
    """All of them for a complete client, none for one that has none."""
    world.redefine(lane=lane)
    complete(world)
    world.add("bob@example.com")
    world.run()
    contact = world.contact("ann@example.com")
    assert {name: contact.get(name) for name in OPTIONAL} == OPTIONAL
    assert world.contact("bob@example.com").keys().isdisjoint(OPTIONAL)


@pytest.mark.parametrize("lane", ["json", "csv"])
@pytest.mark.parametrize("odd", [0, 1])
def test_S11_unmapped_fields_are_in_no_payload(world: World, odd: int, lane: str) -> None:
    """Neither their names nor their values leave; what is mapped does."""
    complete(world)
    unmapped = list(OPTIONAL)[odd::2]
    fields = world.definition.model_dump(mode="json")["fields"]
    world.redefine(lane=lane, fields={k: v for k, v in fields.items() if k not in unmapped})
    world.run()
    sent = world.sent()
    for name, value in OPTIONAL.items():
        assert (value in sent) is (name not in unmapped)
        assert (name in sent) is (name not in unmapped)


@pytest.mark.parametrize("lane", ["json", "csv"])
def test_S12_clients_are_added_to_the_list_by_name(world: World, lane: str) -> None:
    """The named list, and no other one."""
    world.emulator.admin.create_list(LIST_NAME.lower())
    world.redefine(lane=lane)
    world.seed()
    world.run()
    assert [c["list_ids"] for c in world.contacts().values()] == [[world.list_id]] * 4


@pytest.mark.parametrize("lane", ["json", "csv"])
def test_S12_without_a_list_contacts_are_on_none(world: World, lane: str) -> None:
    """`list: null` is a choice, not an error."""
    world.redefine(lane=lane, list=None)
    world.seed()
    world.run()
    assert [c["list_ids"] for c in world.contacts().values()] == [[]] * 4
    assert world.list_id not in world.sent()


def test_S13_newcomers_and_updates_go_to_the_same_list(world: World) -> None:
    """A contact that somebody took off the list comes back with its next update."""
    world.seed()
    world.run()
    world.emulator.admin.put_contacts({"email": "new@example.com"})
    world.add("new@example.com")
    world.edit(1, first_name="Ana")
    assert world.run()["counts"]["sent"] == 2
    world.assert_converged()


def test_S13_another_list_in_the_definition_takes_everyone(world: World) -> None:
    """Changing the list sends everyone again, once."""
    world.seed()
    world.run()
    other = world.emulator.admin.create_list("Other list")
    world.redefine(list="Other list")
    report = world.run()
    assert report["kind_reason"] == "mapping_changed"
    assert all(other in c["list_ids"] for c in world.contacts().values())
    assert world.run()["counts"]["sent"] == 0


def test_a_missing_folder_of_definitions_is_named(tmp_path: Path) -> None:
    """An image without include/syncs/ says so instead of showing no DAG."""
    with pytest.raises(ConfigError, match=r"syncs/ with the sync definitions does not exist"):
        read_definitions(tmp_path / "syncs")
