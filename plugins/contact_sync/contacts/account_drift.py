"""What somebody changed in the SendGrid account since the last finished run. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from contact_sync.base.near_misses import meant
from contact_sync.base.vocabulary import SendGridField
from contact_sync.config.definition import SyncDefinition
from contact_sync.contacts.destination import Destination


def field_drift(
    definition: SyncDefinition,
    before: Destination | None,
    account: Iterable[SendGridField],
    *,
    accept_types: bool,
) -> dict[str, str]:
    """Field name of the definition → what happened to it and the fix.

    `before` is that of the last finished run; None = there was none. A field keeps its type for
    life (OAS: PATCH changes the name only), so another type means that it was made again; going on
    would empty it for everybody, hence `accept_types` needs a run that a person asks for.
    """
    fields = list(account)
    by_name = {field.name.lower(): field for field in fields}
    by_id = {field.id: field for field in fields}
    mapped = {name.lower(): name for name in definition.fields}
    found: dict[str, str] = {}
    for old in before.mapping.fields if before else ():
        name, now = mapped.get(old.name.lower()), by_name.get(old.name.lower())
        if name is None:
            continue
        if now is None and old.id in by_id:
            found[name] = (
                f"SendGrid's field {name!r} is called {by_id[old.id].name!r} now: rename it "
                f"back, or write the new name into the definition"
            )
        elif now is None:
            found[name] = (
                f"SendGrid's field {name!r} was deleted since the last run, with all its values: "
                f"create it again as {old.type}, or remove it from the definition"
            )
        elif now.type is not old.type and not accept_types:
            found[name] = (
                f"SendGrid's field {name!r} was {old.type} at the last run and is {now.type} "
                f"now: if that is meant, trigger a run with mode full, which accepts it"
            )
    return found


def told_by_drift(drifted: dict[str, str], problems: Iterable[str]) -> list[str]:
    """Problems of a mapping (`mapping.resolve`): of fields to which something happened, that."""
    lacking = tuple(f"SendGrid has no field {name!r}:" for name in drifted)
    return [*drifted.values(), *(p for p in problems if not p.startswith(lacking))]


def list_drift(
    definition: SyncDefinition, before: Destination | None, lists: dict[str, str]
) -> str:
    """What happened to the definition's list, which SendGrid doesn't have; `lists`: name → id."""
    wanted = definition.list
    if before and wanted == before.list_name:
        renamed = next((n for n, i in lists.items() if i == before.mapping.list_id), None)
        if renamed is not None:
            return (
                f"SendGrid's list {wanted!r} is called {renamed!r} now: rename it back, or write "
                f"the new name into the definition"
            )
        return (
            f"SendGrid's list {wanted!r} was deleted since the last run: create it again, which "
            f"puts everyone on it again, or correct `list` in the definition"
        )
    return (
        f"SendGrid has no list {wanted!r}: {meant(str(wanted), lists)}create it under "
        f"Marketing > Contacts, or correct `list` in the definition"
    )
