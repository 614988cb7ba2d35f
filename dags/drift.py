"""tailwatch_drift: whether what is scored still looks like what was learned from."""

from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import task
from tailwatch_dags.tasks import read_tasks
from tailwatch_dags.times import at

DOC = """
Compares the clips that were scored lately with those that the champion learned from (`tailwatch drift`): the
29 numbers, coverage, scores. If they drifted, it opens one retraining, with its reason, that trains and
compares but asks for no promotion: whether drifted clips shall count is for a person to say.
Where `TAILWATCH_SCORES` is `none`, no scored clip is written down, and nothing is measured: n stays 0.
"""
ANSWER = "ti.xcom_pull(task_ids='measure')"
REASON = f"drift of {{{{ {ANSWER}['columns'] | join(', ') }}}} over {{{{ {ANSWER}['n'] }}}} clips"

tasks = read_tasks()

with tasks.dag(
    "tailwatch_drift", "Compares scored clips with the champion's training", DOC, schedule=at("0 5 * * *")
) as dag:

    @task.short_circuit(doc_md="Goes on if the clips drifted.")
    def drifted(measured: dict[str, Any]) -> bool:
        """Whether a retraining is to be opened."""
        return bool(measured["drifted"])

    measure = tasks.command("measure", ["drift"], "Population stability index of every column, with its n.")
    retrain = TriggerDagRunOperator(
        task_id="retrain",
        trigger_dag_id="tailwatch_retrain",
        trigger_run_id=f"drift__{{{{ {ANSWER}['key'] }}}}",
        skip_when_already_exists=True,  # one retraining for one drift, however often it is seen
        conf={
            "reason": REASON,
            "promote": False,
        },
        doc_md="Opens a retraining that asks for no promotion.",
    )
    drifted(measure.output) >> retrain
