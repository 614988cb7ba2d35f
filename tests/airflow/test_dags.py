"""All DAGs in all modes: they load, and every task keeps to the house's rules."""

import copy
import json
import shutil
import subprocess
import sys
from datetime import timedelta

import pytest
import yaml
from airflow.sdk.exceptions import ParamValidationError
from tailwatch_dags.links import mlflow_address, report_address

from .conftest import DAGS, MODES, ROOT

RESOURCES = yaml.safe_load((ROOT / "params.yaml").read_text())["resources"]
DAG_IDS = {"tailwatch_retrain", "tailwatch_ingest", "tailwatch_drift", "tailwatch_rollback"}
HEAVY = ("tensorflow", "cv2", "mlflow", "dvc", "keras", "pipelines", "components")


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


def test_all_dags_load(mode, bags):
    assert bags[mode].import_errors == {}
    assert set(bags[mode].dags) == DAG_IDS


def test_every_task_keeps_to_the_rules(mode, bags):
    pools = {resource["pool"] for resource in RESOURCES.values()}
    for dag in bags[mode].dags.values():
        assert dag.doc_md
        assert dag.max_active_runs == 1
        assert not dag.catchup
        for task in dag.tasks:
            where = f"{mode} {dag.dag_id} {task.task_id}"
            assert task.owner == "tailwatch", where
            calls_tailwatch = task.task_type.startswith("Tailwatch")
            assert task.pool in (pools if calls_tailwatch else {"default_pool"}), where
            assert task.retries == (0 if task.task_id == "rollback" else 2), where
            assert task.retry_exponential_backoff == 2.0, where
            assert task.max_retry_delay == timedelta(minutes=30), where
            queue = task.pool if calls_tailwatch else "cpu"
            assert task.queue == (queue if mode == "celery" else "default"), where
            waits_for_a_person = task.task_id == "approve"
            assert bool(task.execution_timeout) is not waits_for_a_person, where
            assert task.doc_md, where


def test_the_graph_is_the_same_in_all_modes(bags):
    edges = [
        {task.task_id: task.upstream_task_ids for task in bag.dags["tailwatch_retrain"].tasks}
        for bag in bags.values()
    ]
    assert edges[0] == edges[1] == edges[2]


@pytest.mark.parametrize(
    ("environ", "pool", "queue"),
    [
        pytest.param({}, "gpu", "default", id="local"),
        pytest.param({"TAILWATCH_GPU_ON_CPU": "1"}, "cpu", "default", id="local, told to fall"),
        pytest.param({"TAILWATCH_EXECUTION": "celery"}, "gpu", "gpu", id="celery"),
        pytest.param(
            {"TAILWATCH_EXECUTION": "celery", "TAILWATCH_GPU_ON_CPU": "1"},
            "cpu",
            "cpu",
            id="celery, told to fall",
        ),
    ],
)
def test_gpu_tasks_fall_to_the_cpu_pool_only_when_told_to(environ, pool, queue, load):
    task = load(environ).dags["tailwatch_retrain"].get_task("train.fusion")
    assert (task.pool, task.queue) == (pool, queue)


def test_stages_over_clips_are_warmed_in_parts(bags):
    dag = bags["celery"].dags["tailwatch_retrain"]
    warm = dag.get_task("reshape.people128_warm")
    parts = warm.expand_input.value["arguments"]
    assert [given[-2:] for given in parts] == [["--part", f"{part}/8"] for part in range(1, 9)]
    assert {tuple(given[:-2]) for given in parts} == {
        ("run-stage", "reshape@people128", "--run", "{{ run_name(run_id) }}")
    }
    assert dag.get_task("reshape.people128").upstream_task_ids == {"reshape.people128_warm"}
    local = bags["local"].dags["tailwatch_retrain"].get_task("extract_warm")
    assert [given[-1] for given in local.expand_input.value["arguments"]] == ["1/1"]


def test_a_task_tells_what_it_does(bags):
    task = bags["local"].dags["tailwatch_retrain"].get_task("train.fusion")
    assert task.task_display_name == "train@fusion"
    for said in (
        "Learn a model's weights",
        "tailwatch train fusion",
        "outs/train/fusion/bundle.json",
        "1 GPU",
    ):
        assert said in task.doc_md


def filled(dag, given):
    """A trigger form as a person sends it."""
    form = copy.deepcopy(dag.params)
    form.update(given)
    return form.validate()


@pytest.mark.parametrize(
    "given",
    [
        {"commit": "-x"},
        {"promote": "maybe"},
        {"dataset_root": "--help"},
        {"dataset_root": "s3://"},
        {"dataset_root": "gs://team/clips"},
        {"dataset_root": "~/clips"},
        {"reason": 7},
    ],
    ids=str,
)
def test_a_form_that_cannot_be_meant_starts_no_retraining(given, bags):
    with pytest.raises(ParamValidationError):
        filled(bags["local"].dags["tailwatch_retrain"], given)


@pytest.mark.parametrize(
    "given", [{}, {"dataset_root": "s3://team/clips"}, {"dataset_root": "/data/my clips", "commit": "v1.2"}]
)
def test_a_form_that_can_be_meant_starts_a_retraining(given, bags):
    told = filled(bags["local"].dags["tailwatch_retrain"], given)
    assert told == {"dataset_root": None, "commit": None, "promote": True, "reason": None, **given}


@pytest.mark.parametrize("given", [{}, {"by": "Jane Doe"}, {"by": "Jane Doe", "why": "  "}], ids=str)
def test_a_rollback_needs_a_name_and_a_reason(given, bags):
    with pytest.raises(ParamValidationError):
        filled(bags["local"].dags["tailwatch_rollback"], given)


def test_importing_dags_imports_nothing_of_the_ml_environment():
    code = (
        "import sys, runpy\n"
        f"sys.path.insert(0, {str(DAGS)!r})\n"
        f"for name in ('retrain', 'ingest', 'drift', 'rollback'): runpy.run_path(f'{DAGS}/{{name}}.py')\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        pytest.param({"TAILWATCH_EXECUTION": "swarm"}, "TAILWATCH_EXECUTION is 'swarm'", id="mode"),
        pytest.param({"TAILWATCH_SCHEDULE": "0 99 * * 1"}, "TAILWATCH_SCHEDULE is '0 99 * * 1'", id="hour"),
        pytest.param(
            {**MODES["kubernetes"], "TAILWATCH_IMAGE": "tailwatch:latest"},
            "TAILWATCH_IMAGE is 'tailwatch:latest'",
            id="image without digest",
        ),
    ],
)
def test_a_wrong_setting_is_an_import_error(environ, message, load):
    errors = load(environ).import_errors
    assert errors
    assert all(message in text for text in errors.values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            lambda y, p: p["models"]["fusion"].update(runs_on="tpu"), "stage train@fusion", id="pool"
        ),
        pytest.param(lambda y, p: y["stages"]["normalize"].pop("meta"), "stage normalize", id="no meta"),
        pytest.param(
            lambda y, p: y["stages"]["ingest"]["deps"].append("outs/compare/table.csv"),
            "it waits for itself",
            id="cycle",
        ),
    ],
)
def test_a_stage_that_cannot_be_scheduled_is_an_import_error_with_its_name(change, message, load, tmp_path):
    shutil.copytree(DAGS, tmp_path / "dags")
    pipeline = yaml.safe_load((ROOT / "dvc.yaml").read_text())
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    change(pipeline, params)
    (tmp_path / "dvc.yaml").write_text(json.dumps(pipeline))
    (tmp_path / "params.yaml").write_text(json.dumps(params))
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'dags')!r})\n"
        "from airflow.dag_processing.dagbag import BundleDagBag\n"
        f"bag = BundleDagBag(dag_folder={str(tmp_path / 'dags' / 'retrain.py')!r}, "
        f"bundle_path={str(tmp_path / 'dags')!r}, bundle_name='dags-folder')\n"
        "print(*bag.import_errors.values())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert message in run.stdout


@pytest.mark.parametrize(
    ("base", "answer", "wanted"),
    [
        pytest.param(
            "http://ml/",
            {"mlflow_run": "r1", "experiment": "7"},
            "http://ml/#/experiments/7/runs/r1",
            id="run",
        ),
        pytest.param("", {"mlflow_run": "r1", "experiment": "7"}, "", id="no address"),
        pytest.param("http://ml", {"stage": "ingest"}, "", id="no run"),
    ],
)
def test_a_task_leads_to_its_run(base, answer, wanted):
    assert mlflow_address(base, answer) == wanted


@pytest.mark.parametrize("place", ["/home/jane/.tailwatch/runs", "s3://team/runs"])
def test_a_task_leads_to_its_report(place):
    answer = {"report": f"{place}/manual__2026/report/index.html"}
    assert report_address("http://reports", answer) == "http://reports/manual__2026/report/index.html"
    assert report_address("", answer) == ""
