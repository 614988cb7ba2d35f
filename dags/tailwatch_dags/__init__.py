"""What the DAG files share.

Only assets, links, notify, operators, pods, tasks and times import Airflow; the rest is plain Python.
"""
