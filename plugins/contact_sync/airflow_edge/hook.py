"""`SendGridHook`: the connection type that Airflow's pages and Test button know."""

from __future__ import annotations

from contextlib import closing

from airflow.sdk import BaseHook

from contact_sync.airflow_edge.provider import CONNECTION_TYPE, HOOK_NAME
from contact_sync.airflow_edge.sendgrid_connection import open_api
from contact_sync.base.errors import told_safely
from contact_sync.sendgrid import scopes
from contact_sync.sendgrid.api import SendGridApi
from contact_sync.sendgrid.transport import DEFAULT_LIMITS, Limits


class SendGridHook(BaseHook):
    """Connects to one SendGrid account.

    The connection's password is the API key. Its extra says the account's region: `{"region":
    "eu"}`, else `us`; or its host is the API URL, with or without `/v3/`, such as
    `https://api.eu.sendgrid.com`. The extra may also name further hosts that the owner trusts:
    `{"allowed_hosts": ["proxy.example.com"]}`.
    """

    conn_name_attr = "sendgrid_conn_id"
    default_conn_name = "sendgrid_default"
    conn_type = CONNECTION_TYPE
    hook_name = HOOK_NAME

    def __init__(self, sendgrid_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.sendgrid_conn_id = sendgrid_conn_id

    def get_conn(self, limits: Limits = DEFAULT_LIMITS, *, read_only: bool = False) -> SendGridApi:
        """As `sendgrid_connection.open_api`."""
        return open_api(self.sendgrid_conn_id, limits, read_only=read_only)

    def test_connection(self) -> tuple[bool, str]:
        """Whether the key works and suffices, in words; for Airflow's Test button."""
        try:
            with closing(self.get_conn()) as api:
                granted = api.scopes()
        except Exception as error:  # noqa: BLE001 only translated
            return False, str(told_safely(error))
        if missing := scopes.missing(granted):
            return False, (
                f"The key works, but lacks the scope {', '.join(missing)}: give it Marketing: Full "
                f"Access"
            )
        more = scopes.warning(granted)
        return True, "The key works" + (f". {more}" if more else "")
