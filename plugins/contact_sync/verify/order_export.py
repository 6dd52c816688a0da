"""Order the exports of a verification, and look whether they are ready."""

from __future__ import annotations

import logging

from contact_sync.base.errors import FatalError, RequestRefused
from contact_sync.base.failpoints import reach
from contact_sync.base.plain_reasons import plain
from contact_sync.base.verdicts import ExportStatus
from contact_sync.sendgrid.export_calls import Export
from contact_sync.state import verifications
from contact_sync.state.verifications import Verification, writing
from contact_sync.sync import Sync
from contact_sync.verify.context import open_verification

log = logging.getLogger(__name__)


def order_export(sync: Sync, verification_id: int, holder: str | None = None) -> None:
    """Order the export of all contacts and, if the sync has a list, that of its contacts: an export
    doesn't tell who is on which list (sendgrid-csharp#1024). Once they are ordered: nothing.
    """
    found = open_verification(sync, verification_id, holder)
    if found.ordered_at is not None:
        return
    list_id = found.destination.mapping.list_id
    export_id = found.export_id or sync.sendgrid.order_export()
    list_export_id = sync.sendgrid.order_export(list_id) if list_id else None
    reach("export_ordered_not_stored")
    with writing(sync.state, found) as cursor:
        verifications.save_order(cursor, verification_id, export_id, list_export_id)
    reach("export_ordered")
    log.info("Export %s is ordered: all contacts of the account", export_id)


def poll_export(sync: Sync, verification_id: int, holder: str | None = None) -> bool:
    """Whether the exports are ready, by one look at each.

    Raises FatalError when SendGrid says that one has failed, or doesn't know it any more.
    """
    found = open_verification(sync, verification_id, holder)
    if found.export_status is ExportStatus.READY:
        return True
    looks = [look_at(sync, export_id) for export_id in export_ids(found)]
    status = ExportStatus.PENDING
    if all(look.status is ExportStatus.READY for look in looks):
        status = ExportStatus.READY
    if status is not found.export_status:
        with writing(sync.state, found) as cursor:
            verifications.save_status(cursor, verification_id, status)
    return status is ExportStatus.READY


def export_ids(verification: Verification) -> list[str]:
    """The ids of the exports that were ordered; that of the list comes first, if there is one."""
    ids = (verification.list_export_id, verification.export_id)
    return [export_id for export_id in ids if export_id is not None]


def look_at(sync: Sync, export_id: str) -> Export:
    """One look. Raises FatalError when the export has failed or is gone."""
    try:
        look = sync.sendgrid.export(export_id)
    except RequestRefused as error:
        if error.is_missing:
            raise FatalError(
                f"SendGrid doesn't know the export {export_id} (any more): verify again"
            ) from None
        raise
    if look.status is ExportStatus.FAILURE:
        said = plain(look.message) if look.message else "it doesn't say why"
        raise FatalError(f"SendGrid's export {export_id} has failed: {said}. Verify again")
    return look
