"""Whether a sync that begins is an older one under another name: its definition was renamed.

The command `rename` lets it go on with what it knows. Without that it would be a first load, which
knows no former address: contacts that have to go would stay for ever, and nothing would say so.
"""

from __future__ import annotations

from contact_sync.base.numbers import count
from contact_sync.base.vocabulary import RunKind
from contact_sync.config.files import read_definitions
from contact_sync.state.runs import Run, SyncState
from contact_sync.state.syncs import forsaken
from contact_sync.sync import Sync


def forsaken_sync(
    sync: Sync, run: Run | None, known: SyncState | None, list_id: str | None
) -> list[str]:
    """A sentence for a person when a sync without a definition has filled this list, or without a
    list this account, before this sync's first run; else nothing.

    Not of a run that a person asks for with mode full or resend, and not while a definition is
    broken: it may be the one that is missing.
    """
    if run is None or known is None or known.watermark or run.kind is not RunKind.INCREMENTAL:
        return []
    definitions = read_definitions()
    if definitions.broken:
        return []
    name = sync.definition.name
    with sync.state.transaction() as cursor:
        found = forsaken(cursor, {*definitions.by_name, name}, list_id, sync.sendgrid.key_mark)
    return [
        f"This sync begins, and {other!r}, which has no definition any more, has "
        f"{count(contacts, 'contact')} where this one shall have its own. If the definition "
        f"was renamed, run `python "
        f"-m contact_sync rename {other} {name}`; if {other!r} is over, `python -m contact_sync "
        f"forget {other}`; if both are to fill it, trigger a run with mode full"
        for other, contacts in found.items()
    ]
