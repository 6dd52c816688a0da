"""Where the package meets Airflow: connections, hook, operators, trigger."""
