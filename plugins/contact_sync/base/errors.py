"""The package's exceptions, named by what the caller has to do next.

::

    SyncError
    ├── FatalError            stop: a person must act
    │   ├── ConfigError       a definition, connection, schema, list or field is wrong
    │   ├── AuthError         SendGrid answered 401 or 403
    │   ├── RequestRefused    SendGrid answered 400, 404, 413 …: we built a wrong request
    │   ├── AnswerTooLarge    SendGrid answered more than we read: asking again gives the same
    │   ├── BooksDontBalance  a client's fate is not known: a defect, nothing may be reported green
    │   ├── SyncDisabled      `enabled: false` in the definition
    │   └── Fenced            another run took the lease: this one must not write any more
    ├── RetryableError        429, 5xx, time-out, connection lost; trying again later may help
    │   └── FateUnknown       the request may or may not have taken effect
    ├── LeaseBusy             another run of the same sync is at work
    ├── Stopped               Ctrl-C or SIGTERM ended the process
    └── Unforeseen            anything else: a defect, or the machine (disk, memory)

A bad *client* is never an exception: it is a rejection with field and reason. Messages say what
happened, to what, and how to fix it; they never hold addresses, names, keys or signed URLs.
"""

from __future__ import annotations

import errno
import signal
import tempfile
import traceback
from pathlib import Path

B2CORE, STATE, SENDGRID = SERVERS = ("B2CORE's database", "The state database", "SendGrid")
"""What messages call the three servers."""
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class SyncError(Exception):
    """Base of everything that this package raises on purpose. `run_id`: the run that it ended on
    the command line. `about`: the server that it is about, one of SERVERS or with one at its
    beginning; "" = none."""

    run_id: int | None = None
    about: str = ""


class FatalError(SyncError):
    """Stop the run; repeating it without a person's help gives the same result."""


class ConfigError(FatalError):
    """A definition, connection, SQL contract, list or field is wrong or missing."""


class ConnectionMissing(ConfigError):
    """Airflow knows no connection of this name in this process."""


class AuthError(FatalError):
    """SendGrid refused the API key (401) or its permissions (403)."""


class RequestRefused(FatalError):
    """SendGrid refused one request for good (400, 404, 405, 413 …).

    `status` is the HTTP status; `errors` are SendGrid's own error objects (message, field);
    `is_json` is false for a page, which may come from a proxy and says nothing about the account.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        errors: list[dict[str, object]] | None = None,
        is_json: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.errors = errors or []
        self.is_json = is_json

    def with_advice(self, advice: str) -> RequestRefused:
        """The same refusal, with what to do about it."""
        told = f"{self}; {advice}"
        return RequestRefused(told, status=self.status, errors=self.errors, is_json=self.is_json)

    @property
    def is_missing(self) -> bool:
        """Whether SendGrid itself says that what was asked for doesn't exist."""
        return self.status == 404 and self.is_json


class AnswerTooLarge(FatalError):
    """SendGrid's answer to a reading is larger than what we hold in memory."""


class BooksDontBalance(FatalError):
    """selected ≠ confirmed + pending + rejected + excluded: some client's fate is unknown."""


class SyncDisabled(FatalError):
    """The definition says `enabled: false`."""


class Fenced(FatalError):
    """Another run took this sync's lease; whatever this process still does is void."""


class RetryableError(SyncError):
    """The same call may succeed later; `retry_after` is SendGrid's hint in seconds, if any."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class FateUnknown(RetryableError):
    """A request was sent and no definite answer came: it may have taken effect."""


class LeaseBusy(SyncError):
    """Another run of the same sync holds the lease."""


class Stopped(SyncError):
    """Somebody ended the process; `exit_code` is 128 + the signal's number, as shells do it."""

    def __init__(self, by: signal.Signals) -> None:
        super().__init__(f"Stopped by {by.name}. Nothing is lost: the next run continues")
        self.exit_code = 128 + by


class Unforeseen(SyncError):
    """An error that is not ours, told without its text: libraries put values of rows into it."""


def told_safely(error: BaseException) -> SyncError:
    """The error itself if it is ours, else an Unforeseen that says what and where.

    A KeyboardInterrupt is Stopped, by Ctrl-C or by the signal whose number it holds.
    """
    if isinstance(error, SyncError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return Stopped(signal.Signals(error.args[0] if error.args else signal.SIGINT))
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        return RetryableError(
            f"No space left for the temporary file of a batch in {tempfile.gettempdir()}: free "
            f"some, or set TMPDIR to a larger disk. Nothing of it was sent"
        )
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    where = " < ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in reversed(frames))
    return Unforeseen(
        f"Unforeseen {type(error).__name__} (its text is withheld, it may hold personal data) at "
        f"{where}. Nothing is lost: trigger a new run; if it happens again, it is a defect"
    )
