"""The call of `SendGridApi` that erases people from the account's event data.

Facts are from Twilio's OpenAPI description tsg_recipients_data_erasure_v3. It deletes no contact,
and no call tells what became of its job.
"""

from __future__ import annotations

from collections.abc import Sequence

from contact_sync.sendgrid.answer_parts import text
from contact_sync.sendgrid.transport import Transport

MAX_ERASED = 5_000
"""Addresses a call; also at most 256 KB, which so many may not fit."""


class ErasureCalls:
    """A part of `SendGridApi`, which gives the transport."""

    _transport: Transport

    def erase_events(self, emails: Sequence[str]) -> str:
        """`POST recipients/erasejob`: queue the erasure of names, addresses, subjects, categories
        and IP addresses of 1 to 5,000 recipients from the event data; returns the job's id.

        Repeating it changes nothing. One address that SendGrid takes for none refuses them all.
        """
        path = "/v3/recipients/erasejob"
        body = {"email_addresses": list(emails)}
        answer = self._transport.call("POST", path, json=body, repeatable=True)
        return text(answer, "job_id", f"POST {path}")
