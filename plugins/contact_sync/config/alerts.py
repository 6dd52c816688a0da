"""Alerts: when a sync tells people, whom, and in which words. Pure; `airflow_edge.notify` sends.

No alert holds personal data: a cause is one of the package's own messages, the rest are counts.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from html import escape
from typing import Annotated, Any

from pydantic import Field, model_validator

from contact_sync.config.strict import ConnectionId, Shown, Strict

Address = Annotated[Shown, Field(pattern=r"^[^@\s,]+@[^@\s,]+$", max_length=254)]


class Event(StrEnum):
    """What an alert is about."""

    RUN_FAILED = "run_failed"
    REJECTIONS = "rejections"
    EXCLUSIONS = "exclusions"
    DROPPED = "dropped"
    APPROVAL = "approval"
    NO_SUCCESS = "no_success"
    STATE_UNPROVEN = "state_unproven"
    UNEQUAL = "unequal"
    CONSENT_BREACH = "consent_breach"
    VERIFY_FAILED = "verify_failed"
    ERASURE_LATE = "erasure_late"


class Alerts(Strict):
    """Who is told of failed runs, waiting approvals and what else is set; nobody by default."""

    email: list[Address] = Field(
        default_factory=list, description="Who gets an e-mail for every alert."
    )
    smtp_connection: ConnectionId = Field(
        "smtp_default", description="Airflow connection of type smtp; its extra has from_email."
    )
    webhook_connection: ConnectionId | None = Field(
        None, description="Airflow connection of type http: each alert is POSTed there as JSON."
    )
    rejected_limit: int | None = Field(
        None,
        ge=0,
        description="Alert when more clients than this are rejected, and more than after the run "
        "before; null = never.",
    )
    dropped_limit: int | None = Field(
        None,
        ge=0,
        description="Alert when more values than this are left out, cut or rounded, and more than "
        "after the run before; null = never.",
    )
    no_success_hours: float | None = Field(
        None,
        gt=0,
        le=720,
        description="Alert when no run has succeeded for so many hours although runs were started; "
        "null = never.",
    )

    @property
    def events(self) -> set[Event]:
        """What somebody is to be told of."""
        wanted = {
            Event.RUN_FAILED: True,
            Event.APPROVAL: True,
            Event.EXCLUSIONS: True,
            Event.STATE_UNPROVEN: True,
            Event.UNEQUAL: True,
            Event.CONSENT_BREACH: True,
            Event.VERIFY_FAILED: True,
            Event.ERASURE_LATE: True,
            Event.REJECTIONS: self.rejected_limit is not None,
            Event.DROPPED: self.dropped_limit is not None,
            Event.NO_SUCCESS: self.no_success_hours is not None,
        }
        told = self.email or self.webhook_connection
        return {event for event, wish in wanted.items() if wish and told}

    @model_validator(mode="after")
    def _somebody_is_told(self) -> Alerts:
        limits = (self.rejected_limit, self.dropped_limit, self.no_success_hours)
        if not self.events and limits != (None, None, None):
            raise ValueError(
                "no one would be told: add `email` or `webhook_connection`, or delete "
                "rejected_limit, dropped_limit and no_success_hours"
            )
        return self


@dataclass(frozen=True, slots=True)
class Alert:
    """One message: what happened to which sync and run, why, and what to do.

    `link` leads to the page in Airflow where a person goes on.
    """

    event: Event
    sync: str
    dag_id: str
    run_id: str
    title: str
    cause: str
    fix: str
    link: str
    counts: dict[str, int] = field(default_factory=dict)

    def payload(self) -> dict[str, Any]:
        """The webhook's JSON: all of the above, and `text` for receivers that show only that."""
        text = f"{self.title}\n{self.cause}\n{self.fix}\n{self.link}"
        return {"text": text, **asdict(self), "event": str(self.event)}

    def html(self) -> str:
        """The e-mail's body."""
        rows = "".join(
            f"<tr><td>{escape(name.replace('_', ' '))}</td><td align='right'>{n:,}</td></tr>"
            for name, n in self.counts.items()
        )
        table = f"<table>{rows}</table>" if rows else ""
        link = escape(self.link, quote=True)
        lines = "".join(f"<p>{escape(line)}</p>" for line in (self.cause, self.fix))
        return f"<h3>{escape(self.title)}</h3>{lines}{table}<p><a href='{link}'>{link}</a></p>"


def rose_above(limit: int | None, now: int, before: int) -> bool:
    """Whether so many rejected clients, or dropped values, are worth an alert: above the limit, and
    more than the `before` of the last run, so that what is known isn't told with every run."""
    return limit is not None and now > limit and now > before
