"""Write .env for docker-compose.yaml: .env.example with fresh secrets. Standard library only.

python3 docker/make_env.py          leaves the two connections for you to enter
python3 docker/make_env.py --demo   also enters those of the profile demo
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import secrets
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EMULATOR = "http://127.0.0.1:8025"  # at each worker, see docker-compose.yaml
DEMO_B2CORE = "postgresql://contact_sync_reader:{}@b2core-demo-db:5432/b2core?sslmode=disable"


def main() -> int:
    """Write .env and return 0; return 1 when there is one already."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--demo", action="store_true", help="enter the demo's connections, too")
    parser.add_argument("--file", type=Path, default=ROOT / ".env", help="default: %(default)s")
    options = parser.parse_args()
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    try:
        # Readable for its owner only, from the first moment on.
        descriptor = os.open(options.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        print(f"{options.file} exists already; its secrets are kept", file=sys.stderr)
        return 1
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(filled(example, demo=options.demo))
    print(f"{options.file} is written" + ("" if options.demo else "; enter the two connections"))
    return 0


def filled(example: str, *, demo: bool) -> str:
    """Return the text of .env: each `NAME=` of the example with its value."""
    values = fresh_secrets()
    if demo:
        values |= demo_connections(values)
    lines = [
        f"{line}{values.get(line[:-1], '')}" if line.endswith("=") else line
        for line in example.splitlines()
    ]
    return "\n".join(lines) + "\n"


def fresh_secrets() -> dict[str, str]:
    """Return a new value for every secret that nobody but this installation knows."""
    passwords = ("ADMIN", "AIRFLOW_DB", "STATE_DB_ADMIN", "STATE_DB", "REDIS", "DEMO_DB")
    return {
        "FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "JWT_SECRET": secrets.token_hex(48),
        "API_SECRET_KEY": secrets.token_hex(32),
        "HASH_KEY": secrets.token_hex(32),
        **{f"{name}_PASSWORD": secrets.token_hex(24) for name in passwords},
        "DEMO_READER_PASSWORD": secrets.token_hex(24),
        "DEMO_SENDGRID_KEY": f"SG.{secrets.token_hex(11)}.{secrets.token_hex(21)}",
    }


def demo_connections(values: dict[str, str]) -> dict[str, str]:
    """Return the connections to the demo's B2CORE and to the emulator."""
    sendgrid = {"conn_type": "sendgrid", "host": EMULATOR, "password": values["DEMO_SENDGRID_KEY"]}
    return {
        "AIRFLOW_CONN_B2CORE_DEFAULT": f"'{DEMO_B2CORE.format(values['DEMO_READER_PASSWORD'])}'",
        "AIRFLOW_CONN_SENDGRID_DEFAULT": f"'{json.dumps(sendgrid)}'",
    }


if __name__ == "__main__":
    sys.exit(main())
