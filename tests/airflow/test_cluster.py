"""Retraining on real parts: PostgreSQL, Redis, S3, and two Celery workers of which one takes GPU tasks.

The run `cold` is the first. `storm` meets in the order of its stages what a run survives; `next`, which
waits for it, meets what none survives. All in one file, as they share a cluster, which one process starts.
"""

import json
import time

import pytest

from .cluster import DAG, QUEUES
from .project import MODELS, PARTS, TO_RESHAPE, outs

EPOCHS = 200
RETRIES = 2  # of params.yaml
AWAY_S = 30
LOST = {"owner": "lost-host/boot/7/9", "processes": "pid:[1]", "token": "aa"}
MAJORITY = {"view": "people48", "runs_on": "cpu"}
AT_WORK = ("running", "success")
UNREACHABLE = "Exit code 4: storage or a server could not be reached"


def test_every_task_is_green_to_a_promoted_model(cluster, cold):
    assert {found.state for found in cold.values()} == {"success"}
    assert cluster.answer("cold", "promote")["decision"] == "HOLD"
    assert cluster.answer("cold", "promote_approved")["promoted"]
    assert {f"train@{model}" for model in MODELS} < set(cluster.entries("cold"))


def test_mlflow_runs_name_the_dag_run(project, cold):
    runs = project.tracked()
    assert len(runs) > len(MODELS)
    assert {status for _, status, _ in runs} == {"FINISHED"}
    assert {(tags["airflow.dag_id"], tags["airflow.dag_run_id"]) for _, _, tags in runs} == {(DAG, "cold")}


def test_parts_run_at_once_on_both_workers(cluster, cold):
    """Each worker has a log of its own."""
    ran = {name: [] for name in QUEUES}
    for part in range(PARTS):
        (worker,) = cluster.logs("cold", "extract_warm", part)
        ran[worker].append(cold["extract_warm", part])
        assert f"part {part + 1}/{PARTS} is in the store" in cluster.said("cold", "extract_warm", part)
    assert any(
        here.start_date < there.end_date and there.start_date < here.end_date
        for here in ran["cpu"]
        for there in ran["both"]
    )


def test_gpu_tasks_go_to_the_gpu_queue_alone(cluster, cold):
    assert {task for task, found in cold.items() if found.queue == "gpu"} == {"train.fusion"}
    assert set(cluster.logs("cold", "train.fusion")) == {"both"}


def test_outs_are_those_of_dvc_repro_in_one_folder(cluster, cold, project, home):
    published = cluster.entries("cold")
    assert project.plain_outs(home / "plain") == outs({stage: published[stage] for stage in TO_RESHAPE})


def test_nothing_changed_means_every_stage_is_skipped(cluster, cold):
    cluster.trigger("again", promote=False)
    assert cluster.ended("again") == "success", cluster.failures("again")
    published = cluster.entries("again")
    assert published == cluster.entries("cold")
    for stage in published:
        task = stage.replace("@", ".")
        assert f"{stage}: unchanged: skipped" in cluster.said("again", task), task


@pytest.fixture(scope="module")
def storm(cluster, cold, project):
    """A run that trains anew, for long; another person orders one at once."""
    cluster.knows(project.commit(lambda params: params["train"].update(epochs=EPOCHS, patience=EPOCHS)))
    cluster.put("runs/storm/lease/ingest/000001.json", json.dumps(LOST))
    cluster.put("runs/storm/lease/ingest/000001.beat", "aa 3")
    cluster.trigger("storm", promote=False)
    cluster.trigger("next", promote=False)
    cluster.reached("storm", "begin", "success")
    return "storm"


def test_a_commit_during_a_run_changes_the_dag(cluster, storm, project):
    """And not the run, as its end shows."""
    project.commit(lambda params: params["models"].update(majority=MAJORITY))
    cluster.until("the new task", lambda: "train.majority" in cluster.tasks_of_dag())
    assert cluster.state(storm) == "running"


def test_of_two_runs_at_once_one_waits(cluster, storm):
    assert [cluster.state(run) for run in (storm, "next")] == ["running", "queued"]


def test_a_stage_held_by_a_machine_that_is_gone_is_taken_over(cluster, storm):
    cluster.reached(storm, "ingest", "success")
    taken = "ingest was held by process 7 of lost-host, which gave no sign for 10 s: taking over"
    assert cluster.said(storm, "ingest").count(taken) == 1


def test_a_scheduler_that_is_killed_loses_and_repeats_nothing(cluster, storm):
    cluster.reached(storm, ("extract_warm", 0), *AT_WORK)
    cluster.kill("scheduler")
    cluster.reached(storm, "extract", "success")
    for part in range(PARTS):
        assert cluster.said(storm, "extract_warm", part).count("unchanged: nothing to warm") == 1


def test_a_database_that_is_restarted_holds_nobody_up(cluster, storm):
    cluster.reached(storm, "segment", *AT_WORK)
    cluster.database.stop()
    cluster.database.start()
    cluster.database.wait()
    cluster.reached(storm, "segment", "success")
    cluster.reached(storm, "featurize", *AT_WORK)


def is_whole(name):
    """Whether an object is the last that is sent of a checkpoint."""
    return name.endswith("/state.json")


def test_training_outlives_its_worker(cluster, storm):
    """It goes on from the checkpoint that the dead one had brought to the bucket."""
    cluster.reached(storm, "train.fusion", "running")
    safe = f"runs/{storm}/checkpoint/train@fusion/"
    cluster.until("a whole checkpoint in the bucket", lambda: any(map(is_whole, cluster.names(safe))))
    cluster.kill("both")
    cluster.until("the next try", lambda: "fusion goes on after epoch" in cluster.said(storm, "train.fusion"))


def test_training_outlives_half_a_minute_without_a_bucket(cluster, storm):
    with cluster.bucket_away():
        time.sleep(AWAY_S)
    cluster.reached(storm, "train.fusion", "success")
    said = cluster.said(storm, "train.fusion")
    assert "the lease cannot be renewed now" in said or UNREACHABLE in said


def test_a_run_ends_as_if_nothing_had_befallen_it(cluster, storm, project, cold):
    """The same tasks, all of one commit; each stage published, each training tracked as one MLflow run."""
    assert cluster.ended(storm) == "success", cluster.failures(storm)
    found = cluster.tasks(storm)
    assert found.keys() == cold.keys()
    assert {one.state for one in found.values()} == {"success", "skipped"}
    entries = cluster.entries(storm)
    assert entries.keys() == cluster.entries("cold").keys()
    commits = {cluster.answer(storm, stage.replace("@", "."))["commit"] for stage in entries}
    assert commits == {cluster.answer(storm, "begin")["commit"]}
    tracked = [one for one in project.tracked() if one[2]["airflow.dag_run_id"] == storm]
    assert {status for _, status, _ in tracked} == {"FINISHED"}
    assert len(tracked) == len({name for name, _, _ in tracked}) > len(MODELS)
    assert not cluster.names(f"runs/{storm}/checkpoint/")


def test_a_bucket_that_is_gone_for_ever_ends_the_run_and_is_named(cluster, storm):
    with cluster.bucket_away():
        assert cluster.ended("next") == "failed"
        (task,) = [one for one in cluster.tasks("next").values() if one.state == "failed"]
    assert task.try_number == 1 + RETRIES
    said = cluster.said("next", task.task_id, task.map_index)
    assert said.count(UNREACHABLE) >= task.try_number
    assert cluster.proxy.url.removeprefix("http://") in said
    first, second = (cluster("GET", f"/dags/{DAG}/dagRuns/{run}") for run in (storm, "next"))
    assert second["start_date"] >= first["end_date"]  # it has waited
