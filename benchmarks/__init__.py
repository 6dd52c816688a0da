"""`make bench`: what a run costs, beside what the machine can do at best and what one would write by hand.

world.py makes clients and servers, programs.py starts each measured program as a fresh process:
limit.py, product.py and baseline.py. agreement.py checks that they do the same work before any
time is taken. airflow_cost.py measures through the real scheduler; results.py and chart.py write.
"""
