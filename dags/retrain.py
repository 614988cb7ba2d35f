"""tailwatch_retrain: all stages of dvc.yaml as tasks, then track, report and promote."""

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import AssetAny, AssetOrTimeSchedule, Param, task
from croniter import croniter
from tailwatch_dags.assets import CLIPS
from tailwatch_dags.errors import SettingError
from tailwatch_dags.naming import MACROS
from tailwatch_dags.notify import Notifier
from tailwatch_dags.tasks import RUN, read_tasks
from tailwatch_dags.times import at

PATIENCE = timedelta(days=6)  # for a person's answer: then the next weekly run may start
DOC = """
Trains, compares and promotes anew: every Monday, when `tailwatch_ingest` found new clips, or by hand.

A run works at one commit and skips every stage of which nothing changed. If the gate says HOLD, the task
`approve` waits for a person under *Required Actions*; who approves answers for the promotion by name.
By hand, the same: `tailwatch begin-run RUN`, `tailwatch run-stage STAGE --run RUN`.
"""
PARAMS = {  # what may be left empty may be null: the form asks for every text
    "dataset_root": Param(
        None,
        type=["null", "string"],
        maxLength=500,
        pattern=r"^(s3://[a-z0-9][a-z0-9.-]+(/.*)?|(?![A-Za-z0-9]+:)[^\s~-].*)?$",
        title="Data set",
        description="A folder or s3://bucket/prefix; empty: as configured.",
    ),
    "commit": Param(
        None,
        type=["null", "string"],
        pattern=r"^([A-Za-z0-9_][A-Za-z0-9._/-]{0,199})?$",
        title="Commit",
        description="A commit, branch or tag of the project; empty: the newest, or that of these DAGs.",
    ),
    "promote": Param(
        True, type="boolean", title="Promote", description="Ask the gate for the champion's place."
    ),
    "reason": Param(
        None,
        type=["null", "string"],
        maxLength=300,
        title="Reason",
        description="Why; it stands with the runs in MLflow.",
    ),
}
BEGIN = (
    "begin-run",
    "{{ refuse_unknown(dag_run, dag) }}",
    RUN,
    "{{ '--commit=' ~ commit_of(params, ti) if commit_of(params, ti) else '' }}",
    "{{ '--dataset-root=' ~ params.dataset_root if params.dataset_root else '' }}",
    "--tag=airflow.dag_id={{ dag.dag_id }}",
    "--tag=airflow.dag_run_id={{ run_id }}",
    "--tag=reason={{ reason_of(params, dag_run) }}",
)
HELD = """
{% set verdict = ti.xcom_pull(task_ids='promote') %}
The gate neither promotes nor rejects version {{ verdict['version'] }} ({{ verdict['model'] }}) against
{{ 'version ' ~ verdict['champion'] if verdict['champion'] else 'no champion' }}.
Why, with all numbers: the log of the task `promote`, and the report.
"""


def _schedule(cron: str) -> Any:
    if not cron:
        return [CLIPS]
    if not croniter.is_valid(cron):  # Airflow itself tells of it in a log alone
        raise SettingError("TAILWATCH_SCHEDULE", cron, "five fields as cron has them, or nothing")
    return AssetOrTimeSchedule(timetable=at(cron), assets=AssetAny(CLIPS))


def _promotion(tasks: Any) -> list[Any]:
    """The gate, a person's approval if it says HOLD, and the promotion in that person's name."""

    @task.short_circuit(doc_md="Goes on if the run was asked to promote.")
    def wanted(params: Any) -> bool:
        return bool(params["promote"])

    @task.short_circuit(doc_md="Goes on if the gate said HOLD of a version that is not the champion already.")
    def held(verdict: dict[str, Any]) -> bool:
        open_question = verdict["decision"] == "HOLD" and not verdict["promoted"]
        return bool(open_question and verdict["version"] != verdict["champion"])

    asked = tasks.step(
        "promote", ["run-stage", "promote", "--run", RUN], "Asks the gate for the champion's place."
    )
    approval = ApprovalOperator(
        task_id="approve",
        subject="Shall {{ ti.xcom_pull(task_ids='promote')['model'] }} become champion?",
        body=HELD,
        defaults="Reject",
        response_timeout=PATIENCE,
        execution_timeout=None,
        notifiers=[Notifier("held")],
        doc_md="Waits for a person; nobody's answer within six days is a no.",
    )
    approved = tasks.step(
        "promote_approved",
        [
            "run-stage",
            "promote",
            "--run",
            RUN,
            "--approve={{ ti.xcom_pull(task_ids='approve')['responded_by_user']['name'] }}",
        ],
        "Promotes in the name of the person who approved.",
    )
    gate = wanted()
    gate >> asked
    held(asked.output) >> approval >> approved
    return [gate]


tasks = read_tasks()

with tasks.dag(
    "tailwatch_retrain",
    "Stages of dvc.yaml, then track, report and promote",
    DOC,
    _schedule(tasks.settings.schedule),
    dagrun_timeout=timedelta(days=7),
    params=PARAMS,
    user_defined_macros=MACROS,
    on_success_callback=Notifier("succeeded"),
) as dag:
    begin = tasks.step("begin", BEGIN, "Fixes the commit and the data set of this run.")
    stages = tasks.stages()
    for made, stage in zip(stages.values(), tasks.graph.stages, strict=True):
        if not stage.before:
            begin >> made[0]
    track = tasks.step("track", ["run-stage", "track", "--run", RUN], "Brings MLflow up to this run's outs.")
    report = tasks.step("report", ["run-stage", "report", "--run", RUN], "Draws the report.")
    finish = tasks.step("finish", ["run-stage", "finish", "--run", RUN], "Keeps dvc.lock with the run.")
    for stage in tasks.graph.last():
        stages[stage.name][-1] >> [track, finish]
    track >> report >> _promotion(tasks)
