"""The whole system on this machine: databases, emulator, Airflow."""
