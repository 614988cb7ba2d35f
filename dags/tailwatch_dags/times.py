"""When DAGs run by themselves."""

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable


def at(cron: str) -> CronTriggerTimetable:
    """At these times of cron in UTC, the first of them after the DAG is seen for the first time.

    By itself Airflow begins with the time before that, if at most a tenth of the way to the next is gone:
    a weekly DAG would start at once for most of a day.
    """
    return CronTriggerTimetable(cron, timezone="UTC", run_immediately=timedelta())
