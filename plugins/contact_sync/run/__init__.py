"""A run: one module a task, named as the task in Airflow. Nothing here knows Airflow."""
