"""V09: the API of a shadow refuses every call that may change the account, before it leaves."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from contact_sync.base.errors import FatalError, SyncError
from contact_sync.base.vocabulary import FieldType, Job, JobStatus, SuppressionKind
from contact_sync.sendgrid.api import ImportUpload, SendGridApi
from tests.support.scripted_server import ADDRESS, KEY, Script

WRITES: dict[str, Callable[[SendGridApi, str], Any]] = {
    "create_field": lambda api, _: api.create_field("Status", FieldType.TEXT),
    "upsert_contacts": lambda api, _: api.upsert_contacts(b"{}"),
    "create_import": lambda api, _: api.create_import(["_rf0_T"], None),
    "upload": lambda api, url: api.upload(ImportUpload("1", f"{url}/x", {}), io.BytesIO(b"a"), 1),
    "delete_contacts": lambda api, _: api.delete_contacts(["1"]),
    "erase_events": lambda api, _: api.erase_events(["ann@example.com"]),
    "unlist_contacts": lambda api, _: api.unlist_contacts("list", ["1"]),
    "suppress": lambda api, _: api.suppress([ADDRESS]),
    "suppress_in_group": lambda api, _: api.suppress_in_group(1, [ADDRESS]),
}
READS: dict[str, Callable[[SendGridApi, str], Any]] = {
    "scopes": lambda api, _: api.scopes(),
    "lists": lambda api, _: api.lists(),
    "fields": lambda api, _: api.fields(),
    "job": lambda api, _: api.job("1"),
    "errors_file": lambda api, url: api.errors_file(
        Job("1", JobStatus.ERRORED, errors_url=f"{url}/x"), io.BytesIO()
    ),
    "contacts_by_email": lambda api, _: api.contacts_by_email([ADDRESS]),
    "contact_ids": lambda api, _: api.contact_ids([ADDRESS]),
    "count_contacts": lambda api, _: api.count_contacts(),
    "is_suppressed": lambda api, _: api.is_suppressed(ADDRESS),
    "suppressed_addresses": lambda api, _: api.suppressed_addresses(),
    "suppressions": lambda api, _: next(api.suppressions(SuppressionKind.BOUNCE, None), None),
    "groups": lambda api, _: api.groups(),
    "groups_of": lambda api, _: api.groups_of(ADDRESS),
    "order_export": lambda api, _: api.order_export(),
    "export": lambda api, _: api.export("1"),
    "export_file": lambda api, url: api.export_file(f"{url}/x").__enter__(),
    "has_reported_spam": lambda api, _: api.has_reported_spam(ADDRESS),
    "in_group": lambda api, _: api.in_group(1, [ADDRESS]),
}
NO_CALLS = {"close", "for_another_thread", "tell_waits"}


@pytest.fixture
def shadow(server: Script) -> Iterator[SendGridApi]:
    """The API that only reads, of a server that says yes to everything."""
    server.say(200, {"result": [], "job_id": "1"})
    opened = SendGridApi(server.url, KEY, read_only=True)
    yield opened
    opened.close()


def test_every_call_is_known_as_one_or_the_other() -> None:
    """A new one has to be put into one of the two tables."""
    methods = dict(inspect.getmembers(SendGridApi, inspect.isfunction))
    assert {name for name in methods if not name.startswith("_")} == {*WRITES, *READS, *NO_CALLS}


@pytest.mark.parametrize("name", WRITES)
def test_V09_nothing_of_a_writing_call_leaves(
    server: Script, shadow: SendGridApi, name: str
) -> None:
    """Also over the connections of another thread; without `read_only` the same call leaves."""
    with shadow.for_another_thread() as other:
        for api in (shadow, other):
            with pytest.raises(FatalError, match="a shadow changes nothing at SendGrid"):
                WRITES[name](api, server.url)
    assert server.calls == []
    writing = SendGridApi(server.url, KEY)
    with suppress(SyncError):
        WRITES[name](writing, server.url)
    writing.close()
    assert server.calls != []


@pytest.mark.parametrize("name", READS)
def test_V09_a_shadow_reads_as_any_other(server: Script, shadow: SendGridApi, name: str) -> None:
    """Whatever it makes of this server's answer: the call has left."""
    with suppress(SyncError):
        READS[name](shadow, server.url)
    assert server.calls != []
