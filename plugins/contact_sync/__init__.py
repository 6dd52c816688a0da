"""Keep a SendGrid account equal to the clients of a B2CORE database.

The package holds all behaviour; `dags/` only wires it into Airflow. Its folders are its layers, and
imports go down only (the contract in pyproject.toml; CONTRIBUTING.md says what is in each)::

    cli · web
    airflow_edge
    run · lookup
    sync
    state · b2core · sendgrid
    postgres · contacts · reporting
    config
    base
"""
