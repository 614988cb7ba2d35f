"""Whole runs of the DAGs with a `tailwatch` that does nothing but answer."""

import json
import logging
import os
import time
from types import SimpleNamespace

import pytest
from airflow.utils.state import DagRunState, TaskInstanceState

from .conftest import DAGS, MODES

HOLD = {"decision": "HOLD", "promoted": False, "model": "fusion", "version": 3, "champion": 2}
PROMOTE = {"decision": "PROMOTE", "promoted": True, "model": "fusion", "version": 3, "champion": 2}


@pytest.fixture
def run(database, load):
    def started(dag_id, conf=None, **environ):
        bag = load({"TAILWATCH_RETRY_SECONDS": "1", **environ})
        assert bag.import_errors == {}
        return bag.dags[dag_id].test(run_conf=conf or {})

    return started


def states(dag_run):
    return {ti.task_id: ti.state for ti in dag_run.get_task_instances()}


@pytest.mark.parametrize(
    "verdict",
    [
        pytest.param(PROMOTE, id="promoted"),
        pytest.param(HOLD | {"champion": 3}, id="held against itself, the champion already"),
    ],
)
def test_a_retraining_that_asks_nobody(verdict, run, stub):
    stub.plan({"promote": {"answer": verdict}})
    dag_run = run("tailwatch_retrain", {"reason": "new camera", "commit": "v1"})
    assert dag_run.state == DagRunState.SUCCESS
    found = states(dag_run)
    assert {name for name, state in found.items() if state == TaskInstanceState.SKIPPED} == {
        "approve",
        "promote_approved",
    }
    begin, *others = stub.lines
    run_id = begin.split()[1]
    assert begin == (
        f"begin-run {run_id} --commit=v1 --tag=airflow.dag_id=tailwatch_retrain "
        f"--tag=airflow.dag_run_id={dag_run.run_id} --tag=reason=new camera"
    )
    assert f"run-stage extract --run {run_id} --part 1/1" in others
    order = [line.split()[1] for line in others if "--part" not in line]
    assert set(order[-4:]) == {"track", "report", "promote", "finish"}
    assert order[:5] == ["ingest", "extract", "segment", "featurize", "normalize"]
    assert order.index("reshape@people128") < order.index("train@fusion") < order.index("evaluate@fusion")
    assert order.count("compare") == 1
    assert {call["cwd"] for call in stub.calls} == {str(DAGS.parent)}
    assert not any(call["airflow"] for call in stub.calls)


def test_answers_become_xcoms_of_ids_and_digests(run, stub):
    stub.plan({"promote": {"answer": PROMOTE}, "track": {"answer": {"mlflow_run": "r1", "experiment": "7"}}})
    dag_run = run("tailwatch_retrain")
    track = next(ti for ti in dag_run.get_task_instances() if ti.task_id == "track")
    assert track.xcom_pull(task_ids="track")["mlflow_run"] == "r1"
    for ti in dag_run.get_task_instances():
        said = ti.xcom_pull(task_ids=ti.task_id)
        assert len(json.dumps(said, default=str)) < 1024


def test_a_mistyped_parameter_starts_nothing(run, stub):
    dag_run = run("tailwatch_retrain", {"promot": False})
    assert (dag_run.state, states(dag_run)["begin"]) == (DagRunState.FAILED, TaskInstanceState.FAILED)
    assert stub.lines == []


def test_no_promotion_is_asked_for_when_the_form_says_so(run, stub):
    dag_run = run("tailwatch_retrain", {"promote": False})
    assert dag_run.state == DagRunState.SUCCESS
    assert states(dag_run)["promote"] == TaskInstanceState.SKIPPED
    assert not [line for line in stub.lines if line.startswith("run-stage promote")]


@pytest.mark.parametrize(
    ("code", "calls", "state"),
    [
        pytest.param(2, 1, TaskInstanceState.FAILED, id="usage"),
        pytest.param(3, 1, TaskInstanceState.FAILED, id="bad data"),
        pytest.param(42, 1, TaskInstanceState.FAILED, id="no retry can help"),
        pytest.param(4, 3, TaskInstanceState.FAILED, id="storage, for ever"),
    ],
)
def test_exit_codes_decide_about_retries(code, calls, state, run, stub):
    stub.plan({"extract": {"codes": [code] * 9}})
    dag_run = run("tailwatch_retrain")
    found = states(dag_run)
    assert dag_run.state == DagRunState.FAILED
    assert found["extract"] == state
    assert found["compare"] == TaskInstanceState.UPSTREAM_FAILED
    assert (
        len([line for line in stub.lines if line.startswith("run-stage extract") and "--part" not in line])
        == calls
    )


@pytest.mark.parametrize("code", [1, 4, 5, 143])
def test_a_retry_may_help(code, run, stub):
    stub.plan({"train@fusion": {"codes": [code, 0]}, "promote": {"answer": PROMOTE}})
    assert run("tailwatch_retrain").state == DagRunState.SUCCESS
    assert len([line for line in stub.lines if line.startswith("run-stage train@fusion")]) == 2


@pytest.mark.parametrize(
    "answer", [pytest.param({"table": "x" * 2000}, id="too large"), pytest.param(None, id="none")]
)
def test_what_is_handed_on_is_checked(answer, run, stub, monkeypatch):
    if answer is None:
        monkeypatch.setenv("TAILWATCH_COMMAND", "/bin/true")
        dag_run = run("tailwatch_retrain")
        assert states(dag_run)["begin"] == TaskInstanceState.FAILED
    else:
        stub.plan({"ingest": {"answer": answer}})
        assert states(run("tailwatch_retrain"))["ingest"] == TaskInstanceState.FAILED


def test_a_command_that_is_not_there_is_told(run, monkeypatch):
    monkeypatch.setenv("TAILWATCH_COMMAND", "/nowhere/tailwatch")
    assert states(run("tailwatch_retrain"))["begin"] == TaskInstanceState.FAILED


def test_a_project_that_is_not_there_is_told_and_no_other_is_taken(run, stub, monkeypatch):
    monkeypatch.setenv("TAILWATCH_PROJECT", "/nowhere/clips")
    dag_run = run("tailwatch_rollback", {"by": "Jane Doe", "why": "too many alarms"})
    assert dag_run.state == DagRunState.FAILED
    assert not stub.lines


def test_a_rollback_names_who_and_why(run, stub):
    dag_run = run("tailwatch_rollback", {"by": "Jane Doe", "why": "too many alarms", "version": 2})
    assert dag_run.state == DagRunState.SUCCESS
    assert stub.calls[0]["argv"] == ["rollback", "--to=2", "--by=Jane Doe", "--why=too many alarms"]


def test_a_rollback_with_a_mistyped_parameter_puts_no_other_model_back(run, stub):
    dag_run = run("tailwatch_rollback", {"by": "Jane Doe", "why": "too many alarms", "verion": 2})
    assert dag_run.state == DagRunState.FAILED
    assert not stub.lines


def test_a_rollback_is_tried_once_because_a_second_one_would_go_back_further(run, stub):
    stub.plan({"rollback": {"codes": [4, 0]}})
    dag_run = run("tailwatch_rollback", {"by": "Jane Doe", "why": "too many alarms"})
    assert dag_run.state == DagRunState.FAILED
    assert len(stub.lines) == 1


def test_clips_that_did_not_drift_open_nothing(run, stub):
    stub.plan({"drift": {"answer": {"drifted": False, "n": 40, "columns": [], "key": "none"}}})
    found = states(run("tailwatch_drift"))
    assert found["measure"] == TaskInstanceState.SUCCESS
    assert found["retrain"] == TaskInstanceState.SKIPPED


@pytest.fixture
def clips(tmp_path, monkeypatch):
    """A watched folder that was seen before."""
    place = tmp_path / "clips"
    place.mkdir()
    monkeypatch.setenv("TAILWATCH_DATASET_ROOT", str(place))
    (place / "one.mp4").write_bytes(b"film")
    later(monkeypatch, 600)
    return place


@pytest.fixture
def warned(monkeypatch):
    """The warnings of DAGs."""
    told = []
    log = logging.getLogger("airflow.task")
    monkeypatch.setattr(log, "warning", lambda text, *of: told.append(text % of))
    return told


def later(monkeypatch, seconds):
    """The clock of a look, so many seconds from now."""
    clock = SimpleNamespace(time=lambda: time.time() + seconds)
    monkeypatch.setattr("tailwatch_dags.listing.time", clock)


def test_new_clips_are_checked_once_they_came_to_rest(run, stub, clips, monkeypatch):
    assert checked(run) == TaskInstanceState.SKIPPED  # the first look
    (clips / "two.mp4").write_bytes(b"film")
    for changed in (1_700_000_000, 4_000_000_000):  # a copy that keeps its time of change, a camera's clock
        os.utime(clips / "two.mp4", (1, changed))
        later(monkeypatch, 0)
        assert checked(run) == TaskInstanceState.SKIPPED
        later(monkeypatch, 600)
        assert checked(run) == TaskInstanceState.SUCCESS
        assert checked(run) == TaskInstanceState.SKIPPED
    assert stub.lines == ["adapters --check --strict"] * 2


def test_clips_of_the_future_are_checked_once_two_looks_found_the_same(run, stub, clips, monkeypatch, warned):
    later(monkeypatch, -86400)  # this worker's clock is a day behind the clips'
    assert [checked(run), checked(run)] == [TaskInstanceState.SKIPPED] * 2  # until it is remembered
    (clips / "two.mp4").write_bytes(b"film")
    assert [checked(run), checked(run)] == [TaskInstanceState.SKIPPED, TaskInstanceState.SUCCESS]
    assert checked(run) == TaskInstanceState.SKIPPED
    assert stub.lines == ["adapters --check --strict"]
    assert warned[-1].endswith("'one.mp4', 'two.mp4'")


def test_a_folder_that_only_pods_see_is_not_watched(run, warned):
    place = {"TAILWATCH_VOLUME": "claim:/nowhere", "TAILWATCH_DATASET_ROOT": "/nowhere/clips"}
    found = run("tailwatch_ingest", **MODES["kubernetes"], **place)
    assert (found.state, states(found)["check"]) == (DagRunState.SUCCESS, TaskInstanceState.SKIPPED)
    assert warned[-1].startswith("/nowhere/clips cannot be watched")


@pytest.mark.parametrize(
    ("code", "again"),
    [
        pytest.param(3, TaskInstanceState.SKIPPED, id="bad clips are told once"),
        pytest.param(4, TaskInstanceState.SUCCESS, id="clips are not lost while storage is away"),
    ],
)
def test_a_check_that_failed_is_made_again_where_that_may_help(code, again, run, stub, clips):
    checked(run)
    (clips / "two.mp4").write_bytes(b"film")
    stub.plan({"adapters": {"codes": [code] * 3}})
    assert checked(run) == TaskInstanceState.FAILED
    stub.plan({})
    assert checked(run) == again


def checked(run):
    return states(run("tailwatch_ingest"))["check"]
