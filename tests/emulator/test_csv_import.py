"""CSV imports: which files fail, which rows fail, and what the others do."""

from __future__ import annotations

import gzip

import pytest

from tests.support.api_caller import (
    CONTACTS,
    EMAIL,
    EXTERNAL_ID,
    FIRST_NAME,
    LAST_NAME,
    SendGrid,
    counts,
    first_error,
)

ANNA, BEN = "anna@example.com", "ben@example.com"
MAPPING_MISMATCH = (
    "Failed to preprocess input csv: we were unable to upload your contacts because the field "
    "mapping doesn't match the CSV."
)


def failure(sendgrid: SendGrid) -> str:
    """Return why the last job failed, which SendGrid tells by mail only."""
    return str(sendgrid.admin.jobs()[-1]["failure"])


def test_a_file_is_imported_by_the_position_of_its_columns(sendgrid: SendGrid) -> None:
    clients = sendgrid.admin.create_list("clients")
    data = f"a,b,c\n{ANNA},skipped,Anna\nBEN@example.com,skipped,Ben\n"
    job = sendgrid.import_csv([EMAIL, None, FIRST_NAME], data, list_ids=[clients])
    assert (job["status"], job["job_type"]) == ("completed", "upsert_contacts")
    assert counts(job) == {"requested": 2, "created": 2}
    contacts = sendgrid.admin.contacts()
    assert {email: item["first_name"] for email, item in contacts.items()} == {
        ANNA: "Anna",
        BEN: "Ben",
    }
    assert all(item["list_ids"] == [clients] for item in contacts.values())


def test_gzip_is_told_by_the_content(sendgrid: SendGrid) -> None:
    parts = [gzip.compress(text.encode()) for text in ("email\n", f"{ANNA}\n")]
    assert sendgrid.import_csv([EMAIL], b"".join(parts))["status"] == "completed"
    assert list(sendgrid.admin.contacts()) == [ANNA]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_quotes_are_understood(sendgrid: SendGrid, line_end: str) -> None:
    row = f'{ANNA},"Anna ""A"", the\nfirst"'
    data = line_end.join(["email,first", row, "", f"{BEN},Ben"])
    sendgrid.import_csv([EMAIL, FIRST_NAME], data)
    contacts = sendgrid.admin.contacts()
    assert contacts[ANNA]["first_name"] == 'Anna "A", the\nfirst'
    assert contacts[BEN]["first_name"] == "Ben"


@pytest.mark.parametrize(
    "data",
    [
        f"email;first\n{ANNA};Anna\n",
        f"email\n{ANNA}\n",
        f"email,first,last\n{ANNA},Anna,A\n",
        f"email,first\n{ANNA},Anna,extra\n",
    ],
)
def test_other_columns_than_mapped_fail_the_file(sendgrid: SendGrid, data: str) -> None:
    job = sendgrid.import_csv([EMAIL, FIRST_NAME], data)
    assert job["status"] == "failed"
    assert job["results"] == {}
    assert failure(sendgrid) == MAPPING_MISMATCH
    assert sendgrid.admin.contacts() == {}


@pytest.mark.parametrize(
    "data",
    [
        b"email\nanna\xff@example.com\n",
        gzip.compress(b"email\n" + b"a@b.co\n" * 1000, mtime=0)[:-20],
        gzip.compress(b"email\n", mtime=0)[:9],
        b"\x1f\x8bnot gzip",
        b'email\n"anna@example.com\n',
    ],
)
def test_an_unreadable_file_fails(sendgrid: SendGrid, data: bytes) -> None:
    assert sendgrid.import_csv([EMAIL], data)["status"] == "failed"
    assert "not a readable" in failure(sendgrid)


def test_a_ragged_row_is_only_an_error_when_so_decided(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(ragged_rows="error")
    job = sendgrid.import_csv([EMAIL, FIRST_NAME], f"email,first\n{ANNA}\n{BEN},Ben\n")
    assert counts(job) == {"requested": 1, "created": 1, "errored": 1}


def test_rows_without_an_identifier_are_skipped(sendgrid: SendGrid) -> None:
    job = sendgrid.import_csv([EMAIL, FIRST_NAME], f"email,first\n,Nobody\n{ANNA},Anna\n")
    assert job["status"] == "completed"
    assert counts(job) == {"requested": 1, "created": 1}


@pytest.mark.parametrize(
    ("rule", "first_name", "last_name"), [("last", "B", ""), ("first", "A", "X")]
)
def test_one_row_of_an_address_counts(
    sendgrid: SendGrid, rule: str, first_name: str, last_name: str
) -> None:
    sendgrid.admin.settings(duplicates=rule)
    data = f"email,first,last\n{ANNA},A,X\n{BEN},Ben,\n{ANNA.upper()},B,\n"
    job = sendgrid.import_csv([EMAIL, FIRST_NAME, LAST_NAME], data)
    assert counts(job) == {"requested": 2, "created": 2}
    contact = sendgrid.contact(ANNA)
    assert (contact["first_name"], contact["last_name"]) == (first_name, last_name)


def test_bad_addresses_are_errors_of_their_rows(sendgrid: SendGrid) -> None:
    job = sendgrid.import_csv([EMAIL], f"email\nnobody\n{ANNA}\n{BEN} \n")
    assert job["status"] == "errored"
    assert counts(job) == {"requested": 3, "created": 1, "errored": 2}


@pytest.mark.parametrize(
    ("cell", "stored", "with_docs"),
    [
        ("15", 15, True),
        ("15.50", 15.5, True),
        ("-1", -1, False),
        ("1.234", 1.234, False),
        ("1e5", None, False),
        ("1,5", None, False),
    ],
)
def test_numbers_follow_the_docs_unless_told_otherwise(
    sendgrid: SendGrid, cell: str, stored: float | None, *, with_docs: bool
) -> None:
    field = sendgrid.admin.create_field("balance", "Number")
    data = f'email,balance\n{ANNA},"{cell}"\n'
    assert (sendgrid.import_csv([EMAIL, field], data)["status"] == "completed") == with_docs
    sendgrid.admin.settings(csv_numbers="any")
    job = sendgrid.import_csv([EMAIL, field], data)
    assert (job["status"] == "completed") == (stored is not None)
    if stored is not None:
        assert sendgrid.contact(ANNA)["custom_fields"] == {"balance": stored}


@pytest.mark.parametrize(
    ("cell", "us", "us_and_iso"),
    [
        *(("1/2/2021", True, True), ("01/02/2021", True, True)),
        *(("2021-01-02T03:04:05.678Z", False, True), ("2021-01-02", False, True)),
        *(("02.01.2021", False, False), ("31/12/2021", False, False)),
    ],
)
def test_dates_may_be_iso_unless_the_docs_are_strict(
    sendgrid: SendGrid, cell: str, *, us: bool, us_and_iso: bool
) -> None:
    field = sendgrid.admin.create_field("born", "Date")
    for rule, is_taken in (("us", us), ("us_and_iso", us_and_iso)):
        sendgrid.admin.settings(csv_dates=rule)
        job = sendgrid.import_csv([EMAIL, field], f"email,born\n{ANNA},{cell}\n")
        assert (job["status"] == "completed") == is_taken


@pytest.mark.parametrize("rule", ["keep", "clear"])
def test_an_empty_cell_keeps_or_clears(sendgrid: SendGrid, rule: str) -> None:
    sendgrid.admin.settings(empty_cell=rule)
    status = sendgrid.admin.create_field("status", "Text")
    balance = sendgrid.admin.create_field("balance", "Number")
    mapping = [EMAIL, FIRST_NAME, status, balance, EXTERNAL_ID]
    header = "email,first,status,balance,id\n"
    sendgrid.admin.settings(identifiers="ignore")
    sendgrid.import_csv(mapping, f"{header}{ANNA},Anna,Active,1,7\n")
    sendgrid.import_csv(mapping, f"{header}{ANNA},,,,\n")
    contact = sendgrid.contact(ANNA)
    assert contact["external_id"] == "7"
    assert contact["first_name"] == ("Anna" if rule == "keep" else "")
    kept = {"status": "Active", "balance": 1}
    assert contact["custom_fields"] == (kept if rule == "keep" else {})


def test_a_column_that_is_not_mapped_keeps(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(empty_cell="clear")
    sendgrid.upsert({"email": ANNA, "first_name": "Anna", "city": "Paphos"})
    sendgrid.import_csv([EMAIL, None], f"email,first\n{ANNA},\n")
    contact = sendgrid.contact(ANNA)
    assert (contact["first_name"], contact["city"]) == ("Anna", "Paphos")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"field_mappings": [EMAIL]}, "file_type"),
        ({"field_mappings": [EMAIL], "file_type": "gzip"}, "file_type"),
        ({"field_mappings": [], "file_type": "csv"}, "field_mappings"),
        ({"file_type": "csv"}, "field_mappings"),
        ({"field_mappings": [EMAIL, EMAIL], "file_type": "csv"}, "field_mappings"),
        ({"field_mappings": [None, FIRST_NAME], "file_type": "csv"}, "field_mappings"),
        ({"field_mappings": [EMAIL, "email"], "file_type": "csv"}, "field_mappings"),
        ({"field_mappings": [EMAIL, "_rf21_D"], "file_type": "csv"}, "field_mappings"),
        ({"field_mappings": [EMAIL, "_rf27_T"], "file_type": "csv"}, "field_mappings"),
        ({"field_mappings": [EMAIL, 5], "file_type": "csv"}, "field_mappings"),
    ],
)
def test_a_wrong_mapping_is_refused(sendgrid: SendGrid, body: object, field: str) -> None:
    answer = sendgrid.call("PUT", f"{CONTACTS}/imports", body)
    assert first_error(answer)[:2] == (400, field)


def test_a_missing_list_is_a_404(sendgrid: SendGrid) -> None:
    body = {
        "file_type": "csv",
        "field_mappings": [EMAIL],
        "list_ids": ["11111111-1111-4111-8111-111111111111"],
    }
    assert sendgrid.call("PUT", f"{CONTACTS}/imports", body).status_code == 404


def test_stored_files_are_only_counted_when_so_decided(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(store_only=True)
    job = sendgrid.import_csv([EMAIL], f"email\n{ANNA}\n{BEN}\n")
    assert counts(job) == {"requested": 2, "created": 2}
    assert sendgrid.admin.contacts() == {}
    assert sendgrid.admin.uploads()[0].body() == f"email\n{ANNA}\n{BEN}\n".encode()
    listed = sendgrid.admin.create_list("A list")
    answer = sendgrid.call("POST", f"{CONTACTS}/search/emails", {"emails": [ANNA]}).json()
    assert answer["result"][ANNA]["contact"]["list_ids"] == [listed]


def test_many_rows_are_applied_in_pieces(sendgrid: SendGrid) -> None:
    rows = "".join(f"a{number}@example.com,Name {number}\n" for number in range(25_000))
    job = sendgrid.import_csv([EMAIL, FIRST_NAME], gzip.compress(f"email,first\n{rows}".encode()))
    assert counts(job) == {"requested": 25_000, "created": 25_000}
    contacts = sendgrid.admin.contacts()
    assert len(contacts) == 25_000
    assert all(
        contacts[f"a{number}@example.com"]["first_name"] == f"Name {number}"
        for number in range(25_000)
    )
