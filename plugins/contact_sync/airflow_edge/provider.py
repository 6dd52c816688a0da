"""What Airflow's pages, command line and REST API know about the connection type "SendGrid".

Airflow asks distributions for it, not plugins; `plugins/contact_sync-*.dist-info/` makes this
folder one, so that nothing has to be installed.

Imports nothing of Airflow, nor the hook: Airflow may ask while the hook is being imported.
"""

from __future__ import annotations

from typing import Any

CONNECTION_TYPE, HOOK_NAME = "sendgrid", "SendGrid"
HOOK = "contact_sync.airflow_edge.hook.SendGridHook"
REGIONS = {"us": "https://api.sendgrid.com", "eu": "https://api.eu.sendgrid.com"}
"""Where an account's data is kept → its API (OAS: servers); a key works in its own region only."""

ASSET_SCHEME = "x-sendgrid"  # of the assets that lineage.py names
TO_OPENLINEAGE = "contact_sync.airflow_edge.lineage.to_openlineage"
"""By name, because Airflow reads this file before its configuration and `lineage` needs that."""


def get_provider_info() -> dict[str, Any]:
    """Name, hook and form; called by Airflow's provider manager (entry point group
    `apache_airflow_provider`)."""
    return {
        "package-name": "contact-sync",
        "name": "SendGrid",
        "description": "Contacts of a SendGrid account",
        "asset-uris": [
            {
                "schemes": [ASSET_SCHEME],
                "handler": None,  # without this key Airflow passes over the entry
                "to_openlineage_converter": TO_OPENLINEAGE,
            }
        ],
        "connection-types": [
            {
                "connection-type": CONNECTION_TYPE,
                "hook-class-name": HOOK,
                "hook-name": HOOK_NAME,
                "ui-field-behaviour": {
                    "hidden-fields": ["login", "schema"],
                    "relabeling": {
                        "password": "API key",
                        "host": "Own URL",
                        "port": "Port (enter 443)",
                    },
                    "placeholders": {
                        "password": "SG.… with Marketing: Full Access",
                        "host": "empty: the region's own",
                        # Airflow 3.3.2's page tests a connection that has no port with port 0,
                        # and its API refuses that as another destination ("Bad Request").
                        "port": "443; Airflow's Test button needs it",
                    },
                },
                "conn-fields": {
                    "region": {
                        "label": "Region",
                        "description": "Where the account's data is kept; its keys work there only",
                        "schema": {
                            "type": ["string", "null"], "enum": list(REGIONS), "default": "us",
                            "values_display": {"us": "US (global)", "eu": "EU"},
                            "section": "Region",
                        },
                    },
                    "allowed_hosts": {
                        "label": "Trusted hosts",
                        "description": "Only with a URL of your own: further hosts that may get "
                        "the key and the files, one per line",
                        "schema": {
                            "type": ["array", "null"], "items": {"type": "string"},
                            "section": "Trusted hosts",
                        },
                    },
                },
            }
        ],
    }  # fmt: skip
