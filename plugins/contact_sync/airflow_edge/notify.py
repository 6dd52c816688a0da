"""Alerts on their way: from an Airflow callback to e-mail and webhook, by Airflow's own notifiers.

An alert that can't be made or sent is logged as an error and changes nothing else: it never fails
a run, nor hides why one failed. Imports little, because the DAG processor imports it all the time.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from airflow.sdk import BaseNotifier

from contact_sync.base.errors import told_safely
from contact_sync.config.alerts import Alert, Event
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.files import read_definition

log = logging.getLogger(__name__)
WEBHOOK_SECONDS = 20.0


class AlertNotifier(BaseNotifier):
    """Tells the people whom a definition's `alerts` name of one event."""

    def __init__(self, sync_name: str, event: str) -> None:
        super().__init__()
        self.sync_name = sync_name
        self.event = Event(event)

    def notify(self, context: Any) -> None:
        """Make the alert, if there is anything to tell, and send it. Never raises."""
        try:
            from contact_sync.airflow_edge import alert_texts, verify_alerts

            definition = read_definition(self.sync_name)
            tellers = alert_texts.TELLERS | verify_alerts.TELLERS
            if (alert := tellers[self.event](definition, context)) is not None:
                send(definition, alert)
        except Exception as error:  # noqa: BLE001 only translated; the run is not to blame
            log.error(  # noqa: TRY400 a traceback may hold values of rows
                "The alert %r of sync %r could not be made: %s",
                str(self.event), self.sync_name, told_safely(error),
            )  # fmt: skip


async def tell_no_success(sync_name: str, context: Any) -> None:
    """What Airflow's deadline calls, in the triggerer: a callback in an executor may not read
    stored connections (Airflow 3.3.2)."""
    await asyncio.to_thread(AlertNotifier(sync_name, Event.NO_SUCCESS), context)


def send(definition: SyncDefinition, alert: Alert) -> None:
    """To every receiver of the definition; what doesn't arrive is logged as an error."""
    alerts = definition.alerts
    if alerts.email:
        from airflow.providers.smtp.notifications.smtp import SmtpNotifier

        mail = SmtpNotifier(
            to=alerts.email,
            subject=alert.title,
            html_content=alert.html(),
            smtp_conn_id=alerts.smtp_connection,
        )
        _send_by(mail, alert, f"e-mail, connection {alerts.smtp_connection!r}")
    if alerts.webhook_connection:
        from airflow.providers.http.notifications.http import HttpNotifier

        post = HttpNotifier(
            http_conn_id=alerts.webhook_connection,
            json=alert.payload(),
            extra_options={"timeout": WEBHOOK_SECONDS},
        )
        _send_by(post, alert, f"webhook, connection {alerts.webhook_connection!r}")


def _send_by(notifier: BaseNotifier, alert: Alert, way: str) -> None:
    """Not by calling the notifier: that would render the alert's text as a template."""
    try:
        notifier.notify({})
    except Exception as error:  # noqa: BLE001 the run goes on, and the other way may still work
        # Without the error's text: it can hold the webhook's address, which is its password.
        why = f"{type(error).__name__} {getattr(error, 'smtp_code', '')}".strip()
        log.error(  # noqa: TRY400
            "The alert %r of sync %r could not be sent (%s): %s. Test that connection under "
            "Admin > Connections; docs/monitoring.md has the settings",
            str(alert.event), alert.sync, way, why,
        )  # fmt: skip
    else:
        log.info("The alert %r of sync %r was sent (%s)", str(alert.event), alert.sync, way)
