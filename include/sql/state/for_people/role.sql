-- state/for_people/role.py; only reads.

-- role --
-- may_enter: also where there is no schema yet. unwritable: tables that the role may not both read and write.
SELECT
    current_user AS role,
    r.rolsuper AS is_superuser,
    pg_is_in_recovery() AS is_standby,
    current_setting('transaction_read_only') = 'on' AS is_read_only,
    coalesce(has_schema_privilege(to_regnamespace('contact_sync'), 'USAGE'), TRUE) AS may_enter,
    (
        SELECT count(*) FROM pg_class AS c
        WHERE
            c.relnamespace = to_regnamespace('contact_sync')
            AND c.relkind IN ('r', 'p')
            AND NOT (
                has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
                AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')
            )
    ) AS unwritable
FROM pg_roles AS r
WHERE r.rolname = current_user;
