"""What the project doesn't promise, for docs/failure-scenarios.md."""

from __future__ import annotations

NOT_PROMISED = (
    "That SendGrid accepts every row, or that a row is sent only once: it may be sent again, with "
    "the same effect.",
    "An order inside SendGrid. A job that takes effect after its deadline (`job_hours`), or a call "
    "of unknown fate that does so after `quarantine_minutes`, may overwrite a newer value, which a "
    "run of mode `resend` fixes.",
    "Anything about a process that stands still between announcing a call and making it for longer "
    "than the lease and the quarantine: that is the same as SendGrid being late.",
    "Mail that SendGrid was already sending when somebody was excluded.",
    "Addresses that neither B2CORE nor a restored state database knows: a contact that was sent "
    "after the backup, whose client had another address, or was deleted, before the next run.",
    "A state database that is lost together with its backups: the next run is a first load, which "
    "removes no one.",
)
"""What no protocol can promise against this API, for the document."""
