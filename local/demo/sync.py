"""The sync that the demo runs, as include/syncs/demo.yaml defines it."""

SYNC = "demo"
DAG_ID = "contact_sync_demo"
CLIENTS = 10_000
