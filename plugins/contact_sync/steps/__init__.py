"""The steps of a run, in the order of `design`: start, drain, check, select, stage, plan, submit,
settle, remove, finish. Handles come in as arguments; no step knows Airflow.
"""
