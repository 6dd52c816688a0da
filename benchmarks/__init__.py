"""`make bench`: what a run costs, beside the machine's limit and a script written by hand.

world.py makes clients and servers, measure.py starts each program as a fresh process: limit.py,
product.py, baseline.py. agreement.py checks that they do the same work before any time is taken;
scenarios.py says what is timed; airflow_overhead.py, airflow_first_load.py and freshness.py measure
through the real scheduler; results.py and chart.py write it down.
"""
