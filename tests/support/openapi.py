"""Twilio's own descriptions of SendGrid's API, and what of a call disagrees with them.

`local/sendgrid_openapi/` has them as Twilio publishes them (github.com/twilio/sendgrid-oas, MIT).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import requests
from referencing import Registry
from referencing.jsonschema import DRAFT202012

KNOWN = {
    "DELETE /v3/marketing/contacts 202 job_id: type": "described as an object, recorded as a text",
    "DELETE /v3/marketing/contacts/{contact_id}/identifiers 202 job_id: type": "the same",
    "GET /v3/marketing/contacts 200 result/N/segment_ids: type": "null in a recording of 2026",
    "GET /v3/marketing/contacts 200 result/N/alternate_emails: type": "the same",
    "GET /v3/marketing/contacts query page_size: not described": "deprecated, and ignored",
    "GET /v3/marketing/field_definitions 200 : required": "no `custom_fields` where there are none",
    "GET /v3/marketing/lists/{id} 200 contact_sample: type": "described as one contact",
    "GET /v3/marketing/lists/{id} 404 : type": "described as a bare list of errors",
    "DELETE /v3/marketing/lists/{id}/contacts 400 : required": "described as a bare error",
    "POST /v3/marketing/contacts/search/identifiers/{identifier_type} 400 : required": "the same",
    "GET /v3/asm/suppressions/global/{email} 200 : required": "{} for who isn't suppressed, which "
    "the description's text says and its schema forbids",
    "PUT /v3/marketing/contacts request contacts/N/first_name: maxLength": "cut or an error of its "
    "row, by a switch",
    "PUT /v3/marketing/contacts request contacts/N/country: maxLength": "the same",
    "PUT /v3/marketing/contacts/imports request field_mappings/N: type": "null leaves a column "
    "out, as the description's text says",
}
"""Where the emulator leaves the description on purpose, and why."""
NO_FIELD = " errors/N/field: type"
"""Of every refusal: null where no field is meant, as in every recording."""
FOLDER = Path(__file__).resolve().parents[2] / "local" / "sendgrid_openapi"
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of a path: the document that describes it and where, as a JSON pointer."""

    document: str
    pointer: str
    path: str
    described: Mapping[str, Any]

    def _schema(self, part: Mapping[str, Any], pointer: str) -> tuple[dict[str, Any], str] | None:
        """The JSON schema of a body and where it is; None if no JSON is described."""
        while "$ref" in part:
            pointer = part["$ref"].removeprefix("#")
            part = _at(self.document, pointer)
        for media, content in part.get("content", {}).items():
            if media == "application/json" and "schema" in content:
                return content["schema"], f"{pointer}/content/{_escaped(media)}/schema"
        return None

    def request_schema(self) -> str | None:
        """Where the schema of the request's body is."""
        found = self._schema(self.described.get("requestBody", {}), f"{self.pointer}/requestBody")
        return found and f"urn:{self.document}#{found[1]}"

    def answer_schema(self, status: int) -> str | None:
        """Where the schema of an answer's body is."""
        answers = self.described["responses"]
        place = f"{self.pointer}/responses/{status}"
        found = self._schema(answers.get(str(status), {}), place)
        return found and f"urn:{self.document}#{found[1]}"

    def parameters(self) -> set[str]:
        """The names of the query's parameters."""
        listed = [*self.described.get("parameters", ())]
        listed += _at(self.document, f"/paths/{_escaped(self.path)}").get("parameters", ())
        resolved = [
            _at(self.document, item["$ref"].removeprefix("#")) if "$ref" in item else item
            for item in listed
        ]
        return {item["name"] for item in resolved if item["in"] == "query"}


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _at(document: str, pointer: str) -> Any:
    found = documents()[document]
    for part in pointer.split("/")[1:]:
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return found


@cache
def documents() -> dict[str, Any]:
    """The descriptions, by name of file."""
    return {path.stem: json.loads(path.read_bytes()) for path in sorted(FOLDER.glob("*.json"))}


@cache
def registry() -> Registry[Any]:
    """The same for jsonschema, under urn:NAME."""
    found: Registry[Any] = Registry()
    for name, content in documents().items():
        found = found.with_resource(f"urn:{name}", DRAFT202012.create_resource(content))
    return found


@cache
def operations() -> list[tuple[str, re.Pattern[str], Operation]]:
    """Method, pattern of the path, and operation; paths without a placeholder first."""
    found = []
    for name, content in documents().items():
        for path, item in content["paths"].items():
            pattern = re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))
            for method in METHODS:
                if method in item:
                    pointer = f"/paths/{_escaped(path)}/{method}"
                    operation = Operation(name, pointer, path, item[method])
                    found.append((method.upper(), pattern, operation))
    return sorted(found, key=lambda entry: entry[2].path.count("{"))


def operation_of(method: str, path: str) -> Operation | None:
    """The operation that a call is one of; None if no description has it."""
    return next(
        (op for verb, pattern, op in operations() if verb == method and pattern.fullmatch(path)),
        None,
    )


@cache
def _validator(schema: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator({"$ref": schema}, registry=registry())


def disagreements(schema: str | None, body: object) -> Iterator[str]:
    """What of a body its schema doesn't allow: place and message without the value."""
    if schema is None:
        return
    for error in _validator(schema).iter_errors(body):
        place = "/".join("N" if isinstance(part, int) else str(part) for part in error.path)
        yield f"{place}: {error.validator}"


def deviations(answer: requests.Response) -> list[str]:
    """Where an exchange isn't as described, besides the known places.

    `METHOD path part place: rule`. Of calls that aren't described, and of answers with a status
    that isn't, nothing is said; a request counts only if it was accepted.
    """
    request = answer.request
    path, _, query = str(request.path_url).partition("?")
    operation = operation_of(str(request.method), path)
    if operation is None:
        return []
    call, found = f"{request.method} {operation.path}", list[str]()
    if answer.ok:
        names = {part.partition("=")[0] for part in query.split("&") if part}
        body = json.loads(request.body) if request.body else None
        found += [f"{call} {what}" for what in request_deviations(operation, names, body)]
    if answer.content and answer.headers["content-type"].startswith("application/json"):
        schema = operation.answer_schema(answer.status_code)
        wrong = disagreements(schema, answer.json())
        found += [f"{call} {answer.status_code} {what}" for what in wrong]
    return [what for what in found if what not in KNOWN and not what.endswith(NO_FIELD)]


def request_deviations(operation: Operation, names: set[str], body: object) -> Iterator[str]:
    """The same of a request: names of its query and JSON body, None = it has none."""
    for name in sorted(names - operation.parameters()):
        yield f"query {name}: not described"
    if body is not None:
        for what in disagreements(operation.request_schema(), body):
            yield f"request {what}"
