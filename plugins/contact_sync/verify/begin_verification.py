"""Begin a verification of a sync, or continue the one that is under way."""

from __future__ import annotations

import logging

from contact_sync.base.errors import ConfigError
from contact_sync.base.failpoints import reach
from contact_sync.base.verdicts import VerificationState
from contact_sync.contacts import mapping
from contact_sync.contacts.account_drift import field_drift, list_drift, told_by_drift
from contact_sync.contacts.destination import Destination
from contact_sync.run.context import definition_hash
from contact_sync.run.continue_erasures import go_on
from contact_sync.state import runs, verifications
from contact_sync.state.runs import SyncState
from contact_sync.state.verifications import Verification
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
CONTINUED_HOURS = 12
"""SendGrid keeps an export's files for so long (its page "Manage contacts")."""


def begin_verification(
    sync: Sync,
    *,
    holder: str,
    reason: str | None = None,
    export_id: str | None = None,
    rebuild: bool = False,
) -> int:
    """Begin one and return its id. One that is under way is continued by this `holder`, and
    whoever worked for it writes nothing more; one that is too old, or of another definition, ends
    as failed. `export_id`: an export that was ordered before, in place of a new one. `rebuild`: the
    ledger is to be filled from it.

    Raises ConfigError with what is missing at SendGrid or in B2CORE's statements.
    """
    sync.state.check_schema()
    go_on(sync)  # before the verification is one that an erasure has to wait for
    with sync.state.transaction() as cursor:
        known = runs.ensure_sync(cursor, sync.definition.name)
    destination = resolve_destination(sync, known)
    edition = definition_hash(sync.definition)
    with sync.state.transaction() as cursor:
        found = verifications.running(cursor, known.sync_id)
        if found is not None and (
            why := _why_not_continued(found, edition, destination, export_id, rebuild=rebuild)
        ):
            verifications.finish(cursor, found, VerificationState.FAILED, why)
            log.info("Verification %d is given up: %s", found.verification_id, why)
            found = None
        if found is not None:
            verifications.take_over(cursor, found.verification_id, holder)
            verification_id = found.verification_id
        else:
            verification_id = verifications.begin(
                cursor, known.sync_id, holder=holder, reason=reason,
                definition_hash=edition, destination=destination, export_id=export_id,
                rebuilds=rebuild,
            )  # fmt: skip
        reach("verification_uncommitted")
    log.info("Verification %d %s", verification_id, "continues" if found else "begins")
    return verification_id


def _why_not_continued(
    found: Verification,
    edition: str,
    destination: Destination,
    export_id: str | None,
    *,
    rebuild: bool,
) -> str | None:
    if found.age_hours > CONTINUED_HOURS:
        return f"it began more than {CONTINUED_HOURS} hours ago and didn't come to its end"
    if found.definition_hash != edition or found.destination != destination:
        return "the definition, the list or a field has changed since it began"
    if export_id is not None and export_id != found.export_id:
        return "another one was started with another export"
    if found.rebuilds is not rebuild:
        return "another one was started to fill the ledger, or not to"
    return None


def resolve_destination(sync: Sync, known: SyncState) -> Destination:
    """The definition's list and fields by id. Raises ConfigError with all that is missing."""
    definition, problems, list_id = sync.definition, list[str](), None
    if definition.list is not None:
        lists = sync.sendgrid.lists()
        list_id = lists.get(definition.list)
        if list_id is None:
            problems.append(list_drift(definition, known.destination, lists))
    positions = mapping.field_positions(known.fields, definition)
    columns, fields = sync.b2core.columns("clients"), list(sync.sendgrid.fields())
    resolved, more = mapping.resolve(definition, fields, columns, positions, list_id)
    drifted = field_drift(definition, known.destination, fields, accept_types=True)
    if problems or resolved is None:
        problems += told_by_drift(drifted, more)
        lines = "\n".join(f"  - {problem}" for problem in problems)
        raise ConfigError(f"Sync {definition.name!r} can't be verified. To fix:\n{lines}")
    key_mark = sync.sendgrid.key_mark
    return Destination(resolved, resolved.version, definition.list, key_mark)
