"""What Airflow's pages, command line and REST API know about the connection type "SendGrid".

Airflow asks distributions for it, not plugins; `plugins/contact_sync-1.0.0.dist-info/` makes this
folder one, so that nothing has to be installed.
"""

from __future__ import annotations

from typing import Any

from contact_sync.airflow_edge.hook import REGIONS, SendGridHook

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
                "connection-type": SendGridHook.conn_type,
                "hook-class-name": f"{SendGridHook.__module__}.{SendGridHook.__qualname__}",
                "hook-name": SendGridHook.hook_name,
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
