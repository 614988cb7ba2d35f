"""DAGs wait for their time, however shortly before they were seen for the first time it last was."""

import pendulum
import pytest
from airflow.serialization.encoders import coerce_to_core_timetable
from airflow.timetables import trigger
from airflow.timetables.base import TimeRestriction
from tailwatch_dags.times import at

WEEKLY = "0 3 * * 1"
NOT_CAUGHT_UP = TimeRestriction(earliest=None, latest=None, catchup=False)


@pytest.mark.parametrize(
    ("now", "first"),
    [
        pytest.param("2026-11-23T03:04", "2026-11-30T03:00", id="minutes after"),
        pytest.param("2026-11-23T12:00", "2026-11-30T03:00", id="the same day"),
        pytest.param("2026-11-22T12:00", "2026-11-23T03:00", id="the day before"),
    ],
)
def test_the_first_run(now, first, monkeypatch):
    monkeypatch.setattr(trigger, "utcnow", lambda: pendulum.parse(now))
    timetable = coerce_to_core_timetable(at(WEEKLY))
    found = timetable.next_dagrun_info(last_automated_data_interval=None, restriction=NOT_CAUGHT_UP)
    assert found.run_after == pendulum.parse(first)


def test_a_run_that_was_missed_is_made_up_for(monkeypatch):
    """Once, where Airflow was down at its time."""
    monkeypatch.setattr(trigger, "utcnow", lambda: pendulum.parse("2026-11-23T04:00"))
    last = trigger.DataInterval.exact(pendulum.parse("2026-11-16T03:00"))
    found = coerce_to_core_timetable(at(WEEKLY)).next_dagrun_info(
        last_automated_data_interval=last, restriction=NOT_CAUGHT_UP
    )
    assert found.run_after == pendulum.parse("2026-11-23T03:00")
