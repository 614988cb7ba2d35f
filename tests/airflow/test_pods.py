"""Mode kubernetes: the pod of every task, offline; what a pod's end means for its task."""

import json
import os
import re
from types import SimpleNamespace
from unittest.mock import MagicMock

import kubernetes_validate
import pytest
import yaml
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.sdk.definitions.mappedoperator import MappedOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowTaskTimeout
from kubernetes.client import ApiClient
from kubernetes.client import models as k8s
from tailwatch_dags.graph import read_graph
from tailwatch_dags.pods import pod_arguments
from tailwatch_dags.settings import read_settings

from .conftest import MODES, ROOT

GOLDEN = ROOT / "tests" / "airflow" / "golden"
VERSIONS = ("1.33", "1.37")  # the oldest and the newest cluster that are meant
ANSWER = {"stage": "ingest", "result": "ran", "lock": "0" * 64}


def pod_tasks(bag):
    """Every task that runs in a pod; of a mapped one its first part."""
    for dag in bag.dags.values():
        for task in dag.tasks:
            if isinstance(task, MappedOperator) and task.task_type == "TailwatchPod":
                yield dag, task.unmap({"arguments": task.expand_input.value["arguments"][0]})
            elif isinstance(task, KubernetesPodOperator):
                yield dag, task


def spec_of(task):
    """The pod's manifest without what differs from build to build."""
    pod = ApiClient().sanitize_for_serialization(task.build_pod_request_obj(dry_run=True))
    pod["metadata"]["name"] = re.sub(r"-[a-z0-9]{8}$", "", pod["metadata"]["name"])
    pod["metadata"]["labels"].pop("airflow_version", None)
    return pod


@pytest.fixture(scope="module")
def specs(bags):
    return {f"{dag.dag_id}.{task.task_id}": spec_of(task) for dag, task in pod_tasks(bags["kubernetes"])}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_pod_of_every_task_is_valid(version, specs):
    assert len(specs) > 25
    for spec in specs.values():
        kubernetes_validate.validate(spec, version, strict=True)


@pytest.mark.parametrize("name", ["train.fusion", "extract_warm", "promote_approved"])
def test_a_pod_is_as_it_was(name, specs):
    found = specs[f"tailwatch_retrain.{name}"]
    golden = GOLDEN / f"{name}.yaml"
    if os.environ.get("GOLDEN"):  # made anew, to be looked at with git diff
        golden.write_text(yaml.safe_dump(found))
    assert found == yaml.safe_load(golden.read_text())


def test_every_pod_is_confined(specs):
    for name, pod in specs.items():
        spec, container = pod["spec"], pod["spec"]["containers"][0]
        assert spec["securityContext"]["runAsNonRoot"], name
        assert container["securityContext"]["readOnlyRootFilesystem"], name
        assert not container["securityContext"]["allowPrivilegeEscalation"], name
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
        assert spec["automountServiceAccountToken"] is False, name
        assert "@sha256:" in container["image"], name
        assert container["resources"]["limits"]["memory"], name
        assert all(volume["emptyDir"]["sizeLimit"] for volume in spec["volumes"]), name
        assert spec["activeDeadlineSeconds"] > 20 * 60, name
        assert "AWS_SECRET_ACCESS_KEY" not in json.dumps(pod), name


@pytest.mark.parametrize("name", ["train-fusion", "train-" + "m" * 80, "train-fusion-"], ids=len)
def test_a_task_of_any_name_labels_its_pod_as_kubernetes_has_it(name):
    settings, resource = read_settings(MODES["kubernetes"]), read_graph(ROOT).resources["cpu"]
    label = pod_arguments(resource, settings, name)["labels"]["tailwatch/task"]
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", label)
    assert label[:12] == name[:12]


@pytest.mark.parametrize("task", ["ingest.check", "drift.measure", "rollback.rollback"])
def test_a_pod_takes_a_workspace_for_what_works_in_the_projects_folder(task, bags):
    dag_id, _, task_id = task.partition(".")
    first = {mode: bags[mode].dags[f"tailwatch_{dag_id}"].get_task(task_id).arguments[0] for mode in bags}
    assert first["kubernetes"] == "at-commit"
    assert first["local"] == first["celery"] != "at-commit"


def test_only_gpu_tasks_ask_for_a_gpu(specs, load):
    asking = {name for name, pod in specs.items() if "nvidia.com/gpu" in json.dumps(pod)}
    assert asking == {"tailwatch_retrain.train.fusion"}
    fallen = load({**MODES["kubernetes"], "TAILWATCH_GPU_ON_CPU": "1"}).dags["tailwatch_retrain"]
    pod = spec_of(fallen.get_task("train.fusion"))
    assert "nvidia.com/gpu" not in json.dumps(pod)
    assert pod["spec"]["nodeSelector"] == {"workload": "cpu"}


def test_secrets_and_a_shared_volume_are_mounted_by_name(load):
    environ = {
        **MODES["kubernetes"],
        "TAILWATCH_SECRET": "tailwatch-s3",
        "TAILWATCH_VOLUME": "clips:/data",
        "TAILWATCH_STORE": "/data/store",
        "AWS_SECRET_ACCESS_KEY": "hidden",
    }
    pod = spec_of(load(environ).dags["tailwatch_retrain"].get_task("ingest"))
    container = pod["spec"]["containers"][0]
    assert container["envFrom"] == [{"secretRef": {"name": "tailwatch-s3"}}]
    assert {"name": "shared", "mountPath": "/data"} in container["volumeMounts"]
    assert "hidden" not in json.dumps(pod)
    kubernetes_validate.validate(pod, VERSIONS[-1], strict=True)


def test_pods_are_waited_for_and_found_again(bags):
    for _, task in pod_tasks(bags["kubernetes"]):
        assert task.startup_timeout_seconds == 1200
        assert task.durable
        assert task.active_deadline_seconds > task.execution_timeout.total_seconds() > 1200


def ended(code=None, phase="Failed", reason=None):
    """A pod as the cluster tells of it."""
    terminated = k8s.V1ContainerStateTerminated(exit_code=code) if code is not None else None
    status = k8s.V1ContainerStatus(
        name="base",
        image="",
        image_id="",
        ready=False,
        restart_count=0,
        state=k8s.V1ContainerState(terminated=terminated),
    )
    return k8s.V1Pod(
        metadata=k8s.V1ObjectMeta(name="p", namespace="n", labels={}),
        spec=k8s.V1PodSpec(containers=[]),
        status=k8s.V1PodStatus(
            phase=phase, reason=reason, container_statuses=[status] if code is not None else None
        ),
    )


@pytest.fixture
def task(load):
    made = load(MODES["kubernetes"]).dags["tailwatch_retrain"].get_task("ingest")
    made.__dict__["client"] = MagicMock()
    made.__dict__["pod_manager"] = MagicMock()
    return made


@pytest.mark.parametrize(
    ("pod", "error", "said"),
    [
        pytest.param(ended(2), AirflowFailException, "Exit code 2: a wrong use", id="usage"),
        pytest.param(ended(3), AirflowFailException, "bad data. No retry", id="bad data"),
        pytest.param(ended(42), AirflowFailException, "Exit code 42", id="no retry can help"),
        pytest.param(ended(4), AirflowException, "could not be reached. A retry may help", id="storage"),
        pytest.param(ended(137), AirflowException, "out of memory, or its machine", id="killed"),
        pytest.param(ended(143), AirflowException, "the next try goes on from there", id="stopped"),
        pytest.param(ended(None, reason="Evicted"), AirflowException, "The pod ended: Evicted", id="evicted"),
        pytest.param(ended(None, reason="DeadlineExceeded"), AirflowException, "DeadlineExceeded", id="late"),
    ],
)
def test_a_pods_end_decides_about_retries(pod, error, said, task):
    with pytest.raises(AirflowException, match=said) as caught:
        task.cleanup(pod, pod)
    assert type(caught.value) is error


def test_a_pods_answer_is_taken_before_it_goes(task):
    lines = [b"reading clips", json.dumps(ANSWER).encode(), b"closing"]
    task.pod_manager.read_pod_logs.return_value = lines
    pod = ended(0, phase="Succeeded")
    task.cleanup(pod, pod)
    assert task.answer == ANSWER
    task.pod_manager.delete_pod.assert_called_once_with(pod)


def test_a_pod_without_an_answer_fails_for_good(task):
    task.pod_manager.read_pod_logs.return_value = [b"reading clips"]
    pod = ended(0, phase="Succeeded")
    with pytest.raises(AirflowFailException, match="no JSON object"):
        task.cleanup(pod, pod)


def test_a_pod_that_outlives_its_task_is_deleted(task):
    pod = ended(None, phase="Running")
    task.pod = pod
    with pytest.raises(AirflowTaskTimeout):
        try:
            raise AirflowTaskTimeout
        finally:
            task.cleanup(pod, pod)
    task.client.delete_namespaced_pod.assert_called_once_with(
        name="p", namespace="n", grace_period_seconds=120
    )


def test_the_answer_becomes_the_tasks_xcom(task, monkeypatch):
    def ran(self, context):
        assert "" not in self.arguments
        self.answer = ANSWER

    monkeypatch.setattr(KubernetesPodOperator, "execute", ran)
    task.arguments = ["begin-run", "r", ""]
    pushed = {}
    ti = SimpleNamespace(xcom_push=lambda key, value: pushed.update({key: value}))
    assert task.execute({"ti": ti}) == ANSWER
    assert pushed == {"return_value": ANSWER}
