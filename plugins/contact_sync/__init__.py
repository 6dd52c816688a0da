"""Keep a SendGrid account equal to the clients of a B2CORE database.

The package holds all behaviour; `dags/` only wires it into Airflow. Arrows between its parts go
down only (checked by `tests/project/test_architecture.py`)::

    entry       cli · airflow_edge · web
    use case    steps
    edges       b2core · state · sendgrid · definition_files
    pure core   definition · mapping · converters · transform · payloads · errors_file · report
    words       models · errors · failpoints
"""
