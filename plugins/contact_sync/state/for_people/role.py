"""Whether the role of the state connection may do what a run does, for `validate --connect`."""

from __future__ import annotations

from contact_sync.base.findings import Area, Finding, Judgement
from contact_sync.base.numbers import count
from contact_sync.postgres.cursor import Cursor, one
from contact_sync.state import statements

SQL = statements.load("for_people/role")


def state_role(cursor: Cursor) -> Finding:
    """One finding; where there is no schema yet, nothing is wrong with the role for that."""
    row = one(cursor, SQL["role"])
    role = row["role"]
    if row["is_standby"] or row["is_read_only"]:
        said = "nothing can be written: the server is a standby, as a fail-over leaves one"
        fix = "point the connection to the primary; target_session_attrs=read-write finds it"
        if not row["is_standby"]:
            said = f"nothing can be written: default_transaction_read_only is on for {role}"
            fix = "reset that setting of the role, or of the database"
        return Finding(Area.STATE, "role", Judgement.WRONG, said, fix)
    if not row["may_enter"] or row["unwritable"]:
        what = f"{count(row['unwritable'], 'table')} of it" if row["may_enter"] else "it"
        said = f"the schema contact_sync is another's, and {role} may not write {what}"
        fix = "connect as the role that made it, by include/sql/state/roles.sql contact_sync_state"
        return Finding(Area.STATE, "role", Judgement.WRONG, said, fix)
    if row["is_superuser"]:
        said = f"{role} is a superuser, and needs nothing but its own schema"
        fix = "connect as the role of include/sql/state/roles.sql, and let that own the schema"
        return Finding(Area.STATE, "role", Judgement.WARNING, said, fix)
    return Finding(Area.STATE, "role", Judgement.OK, "it may write what a run writes")
