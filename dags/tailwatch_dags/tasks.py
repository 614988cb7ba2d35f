"""Makes tasks: the same command line in each of the three modes."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, TaskGroup

from tailwatch_dags.graph import Graph, Stage, read_graph
from tailwatch_dags.notify import Notifier
from tailwatch_dags.operators import TailwatchOperator
from tailwatch_dags.resources import Resource, on_cpu
from tailwatch_dags.settings import ROOT, Settings, read_settings

OWNER = "tailwatch"
RUN = "{{ run_name(run_id) }}"
CONTROL_MINUTES = 10
CONTROL_POOL = "default_pool"
MAX_RETRY_DELAY = timedelta(minutes=30)


class Tasks:
    """Makes the tasks of one DAG.

    Args:
        graph: which classes of machine there are.
        settings: where tasks run.
    """

    def __init__(self, graph: Graph, settings: Settings) -> None:
        self.graph = graph
        self.settings = settings
        self._groups: dict[str, TaskGroup] = {}

    def dag(self, dag_id: str, description: str, doc: str, schedule: Any, **more: Any) -> DAG:
        """A DAG as all of ours are: one run at a time, nothing caught up on, failures told."""
        return DAG(
            dag_id,
            description=description,
            doc_md=doc,
            schedule=schedule,
            catchup=False,
            max_active_runs=1,
            default_args=self._defaults(),
            on_failure_callback=Notifier("failed"),
            tags=[OWNER],
            **more,
        )

    def _defaults(self) -> dict[str, Any]:
        """Default arguments of a DAG: those of tasks that only steer, which wait for no machine."""
        steps = self._for_steps()
        queue = {"queue": steps.pool} if self.settings.mode == "celery" else {}
        return {
            "owner": OWNER,
            "pool": CONTROL_POOL,
            "retries": steps.retries,
            "retry_delay": timedelta(seconds=self.settings.retry_seconds),
            "retry_exponential_backoff": 2.0,
            "max_retry_delay": MAX_RETRY_DELAY,
            "execution_timeout": timedelta(minutes=CONTROL_MINUTES),
            **queue,
        }

    def stages(self) -> dict[str, Any]:
        """A task for every stage of the graph, by DVC's name, joined as the graph says."""
        made: dict[str, Any] = {}
        for stage in self.graph.stages:
            made[stage.name] = self._stage(stage)
        for stage in self.graph.stages:
            for before in stage.before:
                made[before][-1] >> made[stage.name][0]
        return made

    def command(self, task_id: str, arguments: Sequence[str], doc: str, **more: Any) -> Any:
        """A task for a command that works in the project's folder; a pod has none that it may write to."""
        alone = ["at-commit"] if self.settings.mode == "kubernetes" else []
        return self.step(task_id, [*alone, *arguments], doc, **more)

    def step(self, task_id: str, arguments: Sequence[str], doc: str, **more: Any) -> Any:
        """A task for a command after, before or beside the stages."""
        return self._task(task_id, self._for_steps(), arguments=list(arguments), doc_md=doc, **more)

    def _stage(self, stage: Stage) -> list[Any]:
        """The stage's own task, with the mapped one that warms its clips before it."""
        resource = self._placed(stage.resource)
        group, name = self._place(stage)
        command = ["run-stage", stage.name, "--run", RUN]
        task = self._task(
            name,
            resource,
            arguments=command,
            task_group=group,
            task_display_name=stage.name,
            doc_md=stage_doc(stage, resource),
        )
        if not stage.per_clip:
            return [task]
        parts = self.settings.parts or resource.parts
        warm = self._task(
            f"{name}_warm",
            resource,
            each=[[*command, "--part", f"{part}/{parts}"] for part in range(1, parts + 1)],
            task_group=group,
            task_display_name=f"{stage.name} warm",
            map_index_template="{{ task.arguments[-1] }}",
            doc_md=f"Does the clips of `{stage.name}` in {parts} parts, into the store that all share.",
        )
        warm >> task
        return [warm, task]

    def _place(self, stage: Stage) -> tuple[TaskGroup | None, str]:
        if stage.item is None:
            return None, stage.word
        if stage.word not in self._groups:
            self._groups[stage.word] = TaskGroup(stage.word, tooltip=stage.desc)
        return self._groups[stage.word], stage.item

    def _placed(self, resource: Resource) -> Resource:
        if resource.gpu and self.settings.gpu_on_cpu:
            return on_cpu(resource, self.graph.resources)
        return resource

    def _for_steps(self) -> Resource:
        """The class `cpu`, or the first one without a GPU."""
        classes = self.graph.resources
        return classes.get("cpu") or min(classes.values(), key=lambda resource: resource.gpu)

    def _task(
        self, task_id: str, resource: Resource, *, each: list[list[str]] | None = None, **more: Any
    ) -> Any:
        """One task, or with `each` one that is mapped over lists of arguments."""
        more = {
            "task_id": task_id,
            "pool": resource.pool,
            "retries": resource.retries,
            "execution_timeout": timedelta(minutes=resource.minutes),
            **({"queue": resource.pool} if self.settings.mode == "celery" else {}),
            **more,
        }
        operator: Any = TailwatchOperator
        if self.settings.mode == "kubernetes":
            from tailwatch_dags.pods import TailwatchPod, pod_arguments

            operator = TailwatchPod
            more |= pod_arguments(resource, self.settings, _label(task_id, more.get("task_group")))
        if each is None:
            return operator(**more)
        return operator.partial(**more).expand(arguments=each)


def stage_doc(stage: Stage, resource: Resource) -> str:
    """What a person reads about a stage's task."""
    gpu = f", {resource.gpu} GPU" if resource.gpu else ""
    return "\n".join(
        [
            stage.desc or f"The stage {stage.name}.",
            "",
            f"- stage of dvc.yaml: `{stage.name}`, in full `{stage.cmd}`",
            f"- by hand: `tailwatch run-stage {stage.name} --run RUN`",
            f"- waits for: {', '.join(stage.before) or 'nothing'}",
            f"- makes: {', '.join(stage.outs) or 'nothing'}",
            f"- asks for: {resource.cpu} cores, {resource.memory}{gpu}, {resource.minutes} minutes",
        ]
    )


def read_tasks() -> Tasks:
    """The maker of the tasks of the project in which these DAGs stand."""
    return Tasks(read_graph(ROOT), read_settings())


def _label(task_id: str, group: TaskGroup | None) -> str:
    name = f"{group.group_id}-{task_id}" if group is not None else task_id
    return name.replace("_", "-").replace(".", "-").lower()
