"""What DAGs tell each other by Airflow's assets."""

from airflow.sdk import Asset

CLIPS = Asset(name="tailwatch_clips", uri="x-tailwatch://clips")  # new clips came and were found sound
