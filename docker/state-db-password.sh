#!/bin/sh
# Run once by the state database's container, after include/sql/state/roles.sql: the role may log in.
set -eu
psql --no-psqlrc --set ON_ERROR_STOP=1 --set password="$STATE_DB_PASSWORD" \
  --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
ALTER ROLE contact_sync_state PASSWORD :'password';
SQL
