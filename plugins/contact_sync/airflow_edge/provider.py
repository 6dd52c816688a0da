"""What Airflow's pages, command line and REST API know about the connection type "SendGrid".

Airflow asks distributions for it, not plugins; `plugins/contact_sync-1.0.0.dist-info/` makes this
folder one, so that nothing has to be installed. It asks while Airflow itself is being imported,
perhaps by the hook: so the hook isn't imported here.
"""

from __future__ import annotations

from typing import Any

from contact_sync.sendgrid.urls import REGIONS


def get_provider_info() -> dict[str, Any]:
    """Name, hook and form; called by Airflow's provider manager (entry point group
    `apache_airflow_provider`)."""
    return {
        "package-name": "contact-sync",
        "name": "SendGrid",
        "description": "Contacts of a SendGrid account",
        "connection-types": [
            {
                "connection-type": "sendgrid",
                "hook-class-name": "contact_sync.airflow_edge.hook.SendGridHook",
                "hook-name": "SendGrid",
                "ui-field-behaviour": {
                    "hidden-fields": ["login", "schema"],
                    "relabeling": {"password": "API key", "host": "Own URL"},
                    "placeholders": {
                        "password": "SG.… with Marketing: Full Access",
                        "host": "empty: the region's own",
                        "port": "443; without it Airflow 3.3 can't test a stored connection",
                    },
                },
                "conn-fields": {
                    "region": {
                        "label": "Region",
                        "description": "Where the account's data is kept; its keys work there only",
                        "schema": {
                            "type": ["string", "null"], "enum": list(REGIONS), "default": "us",
                        },
                    },
                    "allowed_hosts": {
                        "label": "Trusted hosts",
                        "description": "Only for an own URL: further hosts that may get the key "
                        "and the files, one a line",
                        "schema": {"type": ["array", "null"], "items": {"type": "string"}},
                    },
                },
            }
        ],
    }  # fmt: skip
