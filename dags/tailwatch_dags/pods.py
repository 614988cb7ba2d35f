"""A task that calls `tailwatch` in a pod of its own: mode kubernetes."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.cncf.kubernetes.pod_generator import make_safe_label_value
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from kubernetes.client import models as k8s

from tailwatch_dags.answers import explain, is_final
from tailwatch_dags.links import MlflowLink, ReportLink
from tailwatch_dags.operators import take
from tailwatch_dags.resources import Resource
from tailwatch_dags.settings import SCRATCH, TMP, PodSettings, Settings

PATIENCE_S = 1200  # until a node is there and has the image: a GPU node may have to be made first
DEADLINE_AFTER_S = 600  # Airflow's own limit goes before Kubernetes's, which holds when Airflow is away
GRACE_S = 120
USER = 10001
KEPT = 50  # lines of the log in which the answer is looked for


class TailwatchPod(KubernetesPodOperator):
    """Calls `tailwatch ARGUMENTS` in a pod; its answer becomes the task's XCom.

    Args:
        arguments: those that render to nothing are left out.
        answers: whether the command ends with one line of JSON.
    """

    operator_extra_links = (MlflowLink(), ReportLink())
    ui_color = "#e8f0f8"

    def __init__(self, *, answers: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.answers = answers
        self.answer: dict[str, Any] | None = None

    def execute(self, context: Any) -> dict[str, Any] | None:
        """Run the pod, or go on with the one that an earlier try has left running.

        Raises:
            AirflowFailException: the command failed, and a retry cannot help.
            AirflowException: it failed otherwise, or its pod was lost.
        """
        self.arguments: list[str] = [argument for argument in self.arguments if argument]
        super().execute(context)
        if self.answer is not None:
            context["ti"].xcom_push(key="return_value", value=self.answer)
        return self.answer

    def cleanup(
        self, pod: k8s.V1Pod, remote_pod: k8s.V1Pod, xcom_result: Any = None, context: Any = None
    ) -> None:
        """Take the answer before the pod goes; turn its exit code into the task's outcome."""
        code = exit_code(remote_pod, self.base_container_name)
        if code is None and _is_active(remote_pod) and not self._killed:
            self.on_kill()  # left early, by a time limit or the cluster's API: a retry must not run beside it
            return
        lines = self._last_lines(remote_pod) if code == 0 and self.answers and not self._killed else []
        try:
            super().cleanup(pod, remote_pod, xcom_result, context)
        except AirflowException as error:
            if code is not None and is_final(code):
                raise AirflowFailException(explain(code)) from error
            reason = getattr(getattr(remote_pod, "status", None), "reason", None)
            raise AirflowException(
                explain(code) if code else f"The pod ended: {reason or 'no exit code'}. A retry may help."
            ) from error
        if code == 0 and self.answers and not self._killed:
            self.answer = take(lines)

    def _last_lines(self, pod: k8s.V1Pod) -> list[str]:
        logs = self.pod_manager.read_pod_logs(pod, self.base_container_name, tail_lines=KEPT, follow=False)
        return [line.decode("utf-8", errors="backslashreplace") for line in logs]


def exit_code(pod: k8s.V1Pod | None, container: str) -> int | None:
    """A container's exit code; None if it has none: evicted before it ended, never started."""
    statuses = (pod.status.container_statuses if pod is not None and pod.status else None) or []
    for status in statuses:
        if status.name == container and status.state and status.state.terminated:
            return int(status.state.terminated.exit_code)
    return None


def _is_active(pod: k8s.V1Pod | None) -> bool:
    return bool(pod is not None and pod.status and pod.status.phase in ("Pending", "Running"))


def pod_arguments(resource: Resource, settings: Settings, label: str) -> dict[str, Any]:
    """What KubernetesPodOperator is told about a task's pod.

    Args:
        resource: what the task asks of its machine.
        label: names the task on the pod.
    """
    pods = settings.pods
    if pods is None:
        raise ValueError("there are pods in mode kubernetes alone")
    timeout = timedelta(minutes=resource.minutes) + timedelta(seconds=PATIENCE_S)
    return {
        "image": pods.image,
        "namespace": pods.namespace,
        "name": f"tailwatch-{label}",
        "labels": {"app.kubernetes.io/name": "tailwatch", "tailwatch/task": make_safe_label_value(label)},
        "cmds": ["tailwatch"],
        "execution_timeout": timeout,
        "active_deadline_seconds": int(timeout.total_seconds()) + DEADLINE_AFTER_S,
        "startup_timeout_seconds": PATIENCE_S,
        "schedule_timeout_seconds": PATIENCE_S,
        "termination_grace_period": GRACE_S,
        "durable": True,
        "deferrable": False,
        "do_xcom_push": False,
        "get_logs": True,
        "container_name_log_prefix_enabled": False,
        "log_events_on_failure": True,
        "log_pod_spec_on_failure": False,
        "on_finish_action": "delete_succeeded_pod",
        "on_kill_action": "delete_pod",
        "automount_service_account_token": False,
        "service_account_name": pods.service_account,
        "env_vars": _variables(resource, settings),
        "env_from": _secrets(pods),
        "container_resources": _demands(resource),
        "node_selector": {pods.node_label: resource.pool},
        "tolerations": _tolerations(resource),
        "volumes": _volumes(pods),
        "volume_mounts": _mounts(pods),
        "security_context": k8s.V1PodSecurityContext(
            run_as_non_root=True,
            run_as_user=USER,
            run_as_group=USER,
            fs_group=USER,
            seccomp_profile=k8s.V1SeccompProfile(type="RuntimeDefault"),
        ),
        "container_security_context": k8s.V1SecurityContext(
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            capabilities=k8s.V1Capabilities(drop=["ALL"]),
        ),
    }


def _variables(resource: Resource, settings: Settings) -> list[k8s.V1EnvVar]:
    told = {
        **settings.handed_on,
        "TAILWATCH_WORKSPACES": f"{SCRATCH}/workspaces",
        "TAILWATCH_WORKERS": str(resource.cpu),
        "HOME": SCRATCH,  # the root is read-only
        "PYTHONUNBUFFERED": "1",
    }
    return [k8s.V1EnvVar(name=name, value=value) for name, value in sorted(told.items())]


def _secrets(pods: PodSettings) -> list[k8s.V1EnvFromSource]:
    if not pods.secret:
        return []
    return [k8s.V1EnvFromSource(secret_ref=k8s.V1SecretEnvSource(name=pods.secret))]


def _demands(resource: Resource) -> k8s.V1ResourceRequirements:
    """Limits equal requests, so that others are evicted before these."""
    demands = {"cpu": str(resource.cpu), "memory": resource.memory}
    gpu = {"nvidia.com/gpu": str(resource.gpu)} if resource.gpu else {}
    return k8s.V1ResourceRequirements(requests=demands, limits={**demands, **gpu})


def _tolerations(resource: Resource) -> Sequence[k8s.V1Toleration]:
    if not resource.gpu:
        return []
    return [k8s.V1Toleration(key="nvidia.com/gpu", operator="Exists", effect="NoSchedule")]


def _volumes(pods: PodSettings) -> list[k8s.V1Volume]:
    scratch = k8s.V1Volume(name="scratch", empty_dir=k8s.V1EmptyDirVolumeSource(size_limit=pods.scratch))
    if not pods.claim:
        return [scratch]
    claim = k8s.V1PersistentVolumeClaimVolumeSource(claim_name=pods.claim)
    return [scratch, k8s.V1Volume(name="shared", persistent_volume_claim=claim)]


def _mounts(pods: PodSettings) -> list[k8s.V1VolumeMount]:
    mounts = [
        k8s.V1VolumeMount(name="scratch", mount_path=SCRATCH),
        k8s.V1VolumeMount(name="scratch", mount_path=TMP, sub_path="tmp"),
    ]
    return [*mounts, k8s.V1VolumeMount(name="shared", mount_path=pods.mount)] if pods.claim else mounts
