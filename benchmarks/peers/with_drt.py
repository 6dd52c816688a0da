"""drt (drt-core at PyPI): a project of YAML files, SQL as the only transform, and its destination
`rest_api`. Writes the project and starts `drt run`; runs in an environment of its own."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

from benchmarks.peers.query import NEVER, peers_query
from benchmarks.target import Target, read_target

LIMITS = {"first_name": 50, "last_name": 50, "address_line_1": 100, "address_line_2": 100,
          "city": 60, "state": 50, "postal_code": 50, "country": 50}  # fmt: skip
CUSTOM = {"status": "Status", "client_type": "Client_type",
          "verification_level": "Verification_level", "jurisdiction": "Jurisdiction"}  # fmt: skip
PHONE = r"regexp_replace(regexp_replace(c.phone, '[ \-.()/]', '', 'g'), '^00', '+')"


def ask(target: Target, path: str) -> dict[str, list[dict[str, str]]]:
    """What SendGrid answers."""
    headers = {"Authorization": f"Bearer {target.api_key}"}
    with urlopen(Request(f"{target.sendgrid_url}{path}", headers=headers), timeout=30) as answer:
        found: dict[str, list[dict[str, str]]] = json.load(answer)
    return found


def model(target: Target) -> str:
    """A row for each contact: its JSON, and the cursor. What SQL can do of the rules is done."""
    fields = ask(target, "/v3/marketing/field_definitions")["custom_fields"]
    ids = {field["name"]: field["id"] for field in fields}
    renamed = {"state": "state_province_region"}
    own = [
        f"'{renamed.get(column, column)}', nullif(btrim(left(btrim(c.{column}), {most})), '')"
        for column, most in LIMITS.items()
    ]
    custom = [f"'{ids[name]}', nullif(btrim(c.{column}), '')" for column, name in CUSTOM.items()]
    phone = f"CASE WHEN {PHONE} ~ '^[+][0-9]{{8,15}}$' THEN {PHONE} END"
    return f"""
SELECT c.updated_at, jsonb_strip_nulls(jsonb_build_object('email', lower(btrim(c.email)),
    'phone_number', {phone}, {", ".join(own)},
    'custom_fields', jsonb_build_object({", ".join(custom)})))::text AS contact
FROM ({peers_query()}) AS c
WHERE c.email ~ '^ *[A-Za-z0-9._+-]+@[A-Za-z0-9-]+([.][A-Za-z0-9-]+)+ *$'"""


def write_project(target: Target, folder: Path) -> None:
    """The project's three files. JSON is YAML, too."""
    url = urlsplit(target.b2core_url)
    list_id = ask(target, "/v3/marketing/lists")["result"][0]["id"]
    profile = {"type": "postgres", "host": url.hostname, "port": url.port, "user": url.username,
               "dbname": url.path[1:], "password": unquote(url.password or "")}  # fmt: skip
    sync = {
        "name": "contacts",
        "model": model(target),
        "destination": {
            "type": "rest_api", "method": "PUT", "body_mode": "batch",
            "url": f"{target.sendgrid_url}/v3/marketing/contacts",
            "headers": {"Content-Type": "application/json"},
            "auth": {"type": "bearer", "token": target.api_key},
            "batch_template": '{"list_ids": ["' + list_id + '"], "contacts": [{% for row in rows %}'
            "{{ row.contact }}{% if not loop.last %},{% endif %}{% endfor %}]}",
        },
        "sync": {"mode": "incremental", "cursor_field": "updated_at", "batch_size": 5000,
                 "watermark": {"default_value": NEVER}},
    }  # fmt: skip
    for name, content in {
        ".drt/profiles.yml": {"default": profile},
        "drt_project.yml": {"name": "contacts", "version": "0.1", "profile": "default"},
        "syncs/contacts.yml": sync,
    }.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")


if __name__ == "__main__":
    project = Path(sys.argv[1])
    write_project(read_target(), project)
    os.chdir(project)
    program = str(Path(sys.executable).with_name("drt"))
    os.execve(program, [program, "run"], os.environ | {"HOME": str(project)})
