"""tailwatch_rollback: puts an earlier champion back."""

from airflow.sdk import Param
from tailwatch_dags.naming import MACROS
from tailwatch_dags.notify import Notifier
from tailwatch_dags.tasks import read_tasks

DOC = "Puts an earlier version in the champion's place: `tailwatch rollback`, with a name and a reason."
PARAMS = {
    "version": Param(
        None,
        type=["null", "integer"],
        minimum=1,
        title="Version",
        description="Empty: the champion before this one.",
    ),
    "by": Param(
        "", type="string", minLength=2, maxLength=100, pattern=r"\S", title="By", description="Who decides."
    ),
    "why": Param(
        "", type="string", minLength=2, maxLength=300, pattern=r"\S", title="Why", description="The reason."
    ),
}

tasks = read_tasks()

with tasks.dag(
    "tailwatch_rollback",
    "Puts an earlier champion back",
    DOC,
    schedule=None,
    params=PARAMS,
    user_defined_macros=MACROS,
    on_success_callback=Notifier("succeeded"),
) as dag:
    tasks.command(
        "rollback",
        [
            "rollback",
            "{{ refuse_unknown(dag_run, dag) }}",
            "{{ '--to=' ~ params.version if params.version else '' }}",
            "--by={{ params.by }}",
            "--why={{ params.why }}",
        ],
        "Moves the alias `champion`, and writes down who and why.",
        answers=False,
        retries=0,  # after a rollback whose end was not seen, another would go back further
    )
