"""The check that follows every test lets nothing pass that could do harm."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from local.sendgrid_emulator.process import Emulator
from tests.support.allowed_calls import AS_TEST, forbidden_calls
from tests.support.world import API_KEY, World

pytest_plugins = ["pytester"]
CONTACTS = "/v3/marketing/contacts"
ALL_CONTACTS = f"{CONTACTS}?delete_all_contacts=true"


def call(emulator: Emulator, method: str, path: str, **headers: str) -> list[dict[str, Any]]:
    """Make one call with the product's key, forget it, and return what the emulator noted."""
    headers["Authorization"] = f"Bearer {API_KEY}"
    requests.request(method, emulator.base_url + path, headers=headers, timeout=10)
    noted = emulator.admin.calls()
    emulator.admin.reset()  # or the check after this test would fail it
    return noted


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", ALL_CONTACTS),
        ("DELETE", f"{ALL_CONTACTS}&ids=1"),
        ("DELETE", f"{CONTACTS}?ids="),
        ("DELETE", f"{CONTACTS}?ids=1,,2"),
        ("DELETE", f"{CONTACTS}?ids={','.join('1' * 101)}"),
        ("DELETE", CONTACTS),
        ("DELETE", "/v3/marketing/lists/1"),
        ("DELETE", "/v3/marketing/lists/1/contacts?delete_contacts=true"),
        ("DELETE", "/v3/asm/suppressions/global/nobody"),
        ("POST", "/v3/marketing/lists"),
        ("GET", f"{CONTACTS}/exports"),
        ("GET", "/v3/contactdb/recipients"),
        ("GET", "/v3/nothing"),
    ],
)
def test_a_forbidden_call_is_found(emulator: Emulator, method: str, path: str) -> None:
    noted = call(emulator, method, path)
    assert [text.split(" ")[0] for text in forbidden_calls(noted)] == [method]


def test_the_storage_is_watched_too(emulator: Emulator) -> None:
    requests.get(f"{emulator.upload_url}/imports/1", timeout=10)
    noted = emulator.admin.calls()
    emulator.admin.reset()
    assert forbidden_calls(noted) == ["GET /imports/1? at the upload origin"]


def test_a_call_of_the_test_itself_is_not_the_products(emulator: Emulator) -> None:
    assert forbidden_calls(call(emulator, "DELETE", ALL_CONTACTS, **AS_TEST)) == []


def test_a_run_makes_only_allowed_calls(world: World) -> None:
    world.seed()
    world.run()
    calls = world.emulator.admin.calls()
    assert len(calls) > 0
    assert forbidden_calls(calls) == []


def test_the_check_fails_a_test_that_made_one(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("from tests.conftest import *")
    pytester.makepyfile(
        f"""
        import requests
        from tests.support.world import API_KEY

        def test_harm(emulator):
            key = {{"Authorization": f"Bearer {{API_KEY}}"}}
            requests.delete(emulator.base_url + "{ALL_CONTACTS}", headers=key, timeout=10)
        """
    )
    result = pytester.runpytest("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*forbidden calls*delete_all_contacts=true*"])
