"""Look at the account's fields from the command line, and create those that are missing."""

from __future__ import annotations

from contact_sync.base.errors import ConfigError
from contact_sync.contacts.account_fields import Catalogue, MissingField, catalogue
from contact_sync.sync import Sync


def read_catalogue(sync: Sync) -> Catalogue:
    """Both sides as they are now; only reads. Raises AuthError, ConfigError, RetryableError."""
    return catalogue(
        sync.definition,
        sync.sendgrid.lists(),
        sync.sendgrid.fields(),
        sync.b2core.columns("clients"),
    )


def create_fields(sync: Sync, missing: list[MissingField]) -> list[str]:
    """Create custom fields; returns their ids. Raises ConfigError, before any call, for a field
    that can't be created.

    SendGrid knows a new field only after some seconds (recordings); the next run is later.
    """
    if problems := [f"  - {field.name}: {field.problem}" for field in missing if field.problem]:
        raise ConfigError("Nothing was created. Fix this first:\n" + "\n".join(problems))
    return [sync.sendgrid.create_field(field.name, field.type) for field in missing]
