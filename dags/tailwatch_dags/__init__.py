"""What the DAG files share. Only operators, pods, tasks and notify know Airflow; the rest is plain Python."""
