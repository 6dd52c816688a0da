"""Where the package meets Airflow: connections, hook, operators and trigger. Nothing else imports it."""
