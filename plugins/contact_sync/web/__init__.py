"""The pages in Airflow's UI; start at app.py, which says how to add one."""
