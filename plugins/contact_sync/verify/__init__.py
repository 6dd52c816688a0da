"""A verification: SendGrid's contacts compared with what B2CORE calls for. Knows no Airflow."""
