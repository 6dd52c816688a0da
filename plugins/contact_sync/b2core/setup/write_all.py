"""All statements of a proposal by file name. Pure."""

from __future__ import annotations

from contact_sync.b2core.setup.parts import Proposal
from contact_sync.b2core.setup.write_changes import changed_updated_at_sql, changed_xmin_sql
from contact_sync.b2core.setup.write_explain import explain_sql
from contact_sync.b2core.setup.write_roles import roles_sql
from contact_sync.b2core.setup.write_sql import clients_sql, has_xmin, scan_sql


def statements(found: Proposal) -> dict[str, str]:
    """changed_xmin.sql only if every relation has xmin, explain.sql only if a row is chosen."""
    files = {
        "clients.sql": clients_sql(found),
        "scan.sql": scan_sql(found),
        "changed_updated_at.sql": changed_updated_at_sql(found),
        "roles.sql": roles_sql(found),
    }
    if has_xmin(found):
        files["changed_xmin.sql"] = changed_xmin_sql(found)
    explain = explain_sql(found)
    return files | ({"explain.sql": explain} if explain else {})
