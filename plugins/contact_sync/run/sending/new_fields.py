"""Wait for a custom field that SendGrid has only just created.

It shows a new field at once and refuses it for some seconds (StrongGrid waits 5; a vendor's
connector repeats this very 400).
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import TypeVar

from contact_sync.base.errors import ConfigError, RequestRefused
from contact_sync.contacts.mapping import Mapping
from contact_sync.sendgrid.refusal_causes import Cause, cause_of
from contact_sync.sendgrid.refused_contacts import complaints
from contact_sync.state import leases
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
T = TypeVar("T")
MAX_WAITS = 15
PAUSE_SECONDS = 2.0


def once_fields_are_known(sync: Sync, run: Run, mapping: Mapping, call: Callable[[], T]) -> T:
    """The call's result; it is made again while SendGrid doesn't know a field that it shows.

    Raises ConfigError when a mapped field is gone, RequestRefused after MAX_WAITS.
    """
    for wait in range(MAX_WAITS + 1):
        try:
            return call()
        except RequestRefused as error:
            if cause_of(error, complaints(error, ())) is not Cause.UNKNOWN_FIELD:
                raise
            if wait == MAX_WAITS:
                raise error.with_advice(_advice(error, mapping)) from None
            _refuse_if_gone(sync, mapping)
            log.info("SendGrid doesn't know a field that it shows: it may be new; waiting")
        leases.renew_lease(sync.state, run)
        time.sleep(PAUSE_SECONDS)
    raise AssertionError("the last round returns or raises")


def _refuse_if_gone(sync: Sync, mapping: Mapping) -> None:
    there = {field.id for field in sync.sendgrid.fields()}
    if gone := [repr(field.name) for field in mapping.fields if field.id not in there]:
        raise ConfigError(
            f"SendGrid has no field {', '.join(gone)} any more: it was deleted, or made again, "
            f"since the run began. Create it or take it out of the definition, then trigger a new "
            f"run"
        )


def _advice(error: RequestRefused, mapping: Mapping) -> str:
    said = " ".join(str(entry.get("message")) for entry in error.errors)
    ids = set(re.findall(r"\w+", said))
    named = [repr(field.name) for field in mapping.fields if field.id in ids]
    return (
        f"it refuses {', '.join(named) or 'a field'} of the mapping for "
        f"{MAX_WAITS * PAUSE_SECONDS:.0f} s now, although it shows it: look at it under Marketing "
        f"> Custom Fields"
    )
