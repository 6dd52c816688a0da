"""The file of row errors, in every layout it may have."""

from __future__ import annotations

import gzip
import json

import pytest

from tests.support.api_caller import EMAIL, FIRST_NAME, SendGrid

DATA = 'email,first\nnobody,"A, B"\nanna@example.com,Anna\n'
REASON = "email 'nobody' is not valid"
OTHER = "email 'nothing' is not valid"


def test_it_has_the_uploaded_columns_and_the_reason(sendgrid: SendGrid) -> None:
    job = sendgrid.import_csv([EMAIL, FIRST_NAME], DATA)
    assert job["status"] == "errored"
    answer = sendgrid.errors(job)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text == f'email,first,error\nnobody,"A, B",{REASON}\n'


def test_it_may_name_the_identifier_only(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(errors_layout="short")
    job = sendgrid.import_csv([FIRST_NAME, EMAIL], "first,email\nA,nobody\nB,a@b.co\n")
    assert sendgrid.errors(job).text == f"identifier,reason\nnobody,{REASON}\n"


def test_it_may_be_json(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(errors_layout="json")
    job = sendgrid.import_csv([EMAIL], "email\nnobody\na@b.co\nnothing\n")
    records = json.loads(sendgrid.errors(job).content)
    assert records[0] == {"email": "nobody", "errors": [REASON]}
    assert [record["email"] for record in records] == ["nobody", "nothing"]


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"errors_separator": ";"}, f"email;error\nnobody;{REASON}\nnothing;{OTHER}\n"),
        ({"errors_layout": "json_lines"},
         f'{{"email":"nobody","errors":["{REASON}"]}}\n{{"email":"nothing","errors":["{OTHER}"]}}'),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_it_may_have_other_separators_and_encodings(
    sendgrid: SendGrid, settings: dict[str, str], text: str, encoding: str
) -> None:
    sendgrid.admin.settings(errors_encoding=encoding, **settings)
    job = sendgrid.import_csv([EMAIL], "email\nnobody\na@b.co\nnothing\n")
    assert sendgrid.errors(job).content.decode(encoding) == text


@pytest.mark.parametrize("layout", ["uploaded", "short", "json"])
def test_it_may_be_gzipped(sendgrid: SendGrid, layout: str) -> None:
    sendgrid.admin.settings(errors_layout=layout)
    plain = sendgrid.errors(sendgrid.import_csv([EMAIL, FIRST_NAME], DATA))
    sendgrid.admin.settings(errors_gzip=True)
    packed = sendgrid.errors(sendgrid.import_csv([EMAIL, FIRST_NAME], DATA))
    assert "content-encoding" not in packed.headers
    assert gzip.decompress(packed.content) == plain.content


def test_it_is_on_the_upload_origin_and_needs_no_key(sendgrid: SendGrid) -> None:
    job = sendgrid.import_csv([EMAIL, FIRST_NAME], DATA)
    url = job["results"]["errors_url"]
    assert not url.startswith(sendgrid.base_url)
    assert sendgrid.http.get(url, timeout=30).status_code == 400  # it sends the key
    assert sendgrid.storage.get(url.partition("?")[0], timeout=30).status_code == 403


def test_its_address_expires(sendgrid: SendGrid) -> None:
    job = sendgrid.import_csv([EMAIL, FIRST_NAME], DATA)
    sendgrid.admin.advance(3601)
    answer = sendgrid.errors(job)
    assert (answer.status_code, "Request has expired" in answer.text) == (403, True)
    assert sendgrid.errors(sendgrid.job(job["id"])).status_code == 200
    sendgrid.admin.settings(errors_lifetime=0)
    assert sendgrid.errors(sendgrid.job(job["id"])).status_code == 403


def test_it_may_be_missing(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(errors_url=False)
    job = sendgrid.import_csv([EMAIL, FIRST_NAME], DATA)
    assert job["status"] == "errored"
    assert "errors_url" not in job["results"]


def test_a_job_without_errors_has_none(sendgrid: SendGrid) -> None:
    assert "errors_url" not in sendgrid.upsert({"email": "a@b.co"})["results"]


def test_a_json_upsert_has_one_too(sendgrid: SendGrid) -> None:
    field = sendgrid.admin.create_field("balance", "Number")
    wrong = {"email": "a@b.co", "first_name": "A", "custom_fields": {field: "5"}}
    job = sendgrid.upsert(wrong, {"email": "b@b.co", "city": "x"})
    header, row = sendgrid.errors(job).text.splitlines()
    assert header == f"email,first_name,{field},city,error"
    assert row == 'a@b.co,A,5,,"Import error, field type does not match"'


def spoilt(sendgrid: SendGrid, **settings: object) -> bytes:
    """Return the errors file of an import, served as the settings say."""
    sendgrid.admin.settings(**settings)
    answer = sendgrid.errors(sendgrid.import_csv([EMAIL, FIRST_NAME], DATA))
    assert answer.status_code == 200
    return answer.content


def test_it_may_be_a_404(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(errors_file="missing")
    answer = sendgrid.errors(sendgrid.import_csv([EMAIL, FIRST_NAME], DATA))
    assert (answer.status_code, "NoSuchKey" in answer.text) == (404, True)


def test_it_may_be_cut_short(sendgrid: SendGrid) -> None:
    whole = f'email,first,error\nnobody,"A, B",{REASON}\n'.encode()
    cut = spoilt(sendgrid, errors_file="truncated")
    assert whole.startswith(cut)
    assert len(cut) == len(whole) * 2 // 3
    with pytest.raises(EOFError):
        gzip.decompress(spoilt(sendgrid, errors_gzip=True))


def test_it_may_be_a_bomb(sendgrid: SendGrid) -> None:
    packed = spoilt(sendgrid, errors_file="bomb")
    assert len(packed) < 100_000
    assert len(gzip.decompress(packed)) > 100_000_000


def test_it_may_have_far_too_many_columns(sendgrid: SendGrid) -> None:
    header, row = spoilt(sendgrid, errors_file="wide").decode().splitlines()
    assert header.count(",") == 100_002
    assert row.startswith("nobody,")
    (record,) = json.loads(spoilt(sendgrid, errors_layout="json"))
    assert len(record) == 100_002


@pytest.mark.parametrize("layout", ["uploaded", "short", "json"])
def test_it_may_be_no_utf8(sendgrid: SendGrid, layout: str) -> None:
    data = spoilt(sendgrid, errors_file="not_utf8", errors_layout=layout)
    with pytest.raises(UnicodeDecodeError):
        data.decode()
    assert REASON.encode() in data


def test_it_may_have_odd_columns_and_upper_case(sendgrid: SendGrid) -> None:
    data = spoilt(sendgrid, errors_layout="odd", errors_upper=True)
    assert data.decode() == f" Contact (E-Mail),Warum?\nNOBODY,{REASON}\n"


def test_it_may_lack_rows(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(errors_left_out=1)
    job = sendgrid.import_csv([EMAIL], "email\nnobody\na@b.co\nnothing\n")
    assert job["results"]["errored_count"] == 2
    assert sendgrid.errors(job).text.count("\n") == 2
