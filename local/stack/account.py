"""What a person creates in a SendGrid account before the demo's sync can run: list and fields.

The stack calls `furnish` itself. For an emulator that runs elsewhere, as in docker-compose.yaml:
python -m local.stack.account http://sendgrid-emulator:8025
"""

from __future__ import annotations

import sys

from local.sendgrid_emulator.admin.client import Admin, AdminError

LIST_NAME = "B2CORE clients"
TEXT_FIELDS = ("Status", "Client_type", "Verification_level", "Jurisdiction")


def furnish(admin: Admin) -> str:
    """Create the custom fields and the list in an account without them; return the list's id."""
    for name in TEXT_FIELDS:
        admin.create_field(name, "Text")
    return admin.create_list(LIST_NAME)


def main() -> int:
    """Furnish the account at the given address; return 1 when it refuses."""
    try:
        furnish(Admin(sys.argv[1]))
    except AdminError as error:
        print(f"Not created, unless it is there already: {error}", file=sys.stderr)
        return 1
    print(f"The list {LIST_NAME!r} and {len(TEXT_FIELDS)} fields are created")
    return 0


if __name__ == "__main__":
    sys.exit(main())
