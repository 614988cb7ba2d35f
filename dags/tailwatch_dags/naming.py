"""Names: of a run's folder, of a stage's task, and of what a task is told about its run."""

import hashlib
import re
from typing import Any

RUN_LIMIT = 200


def run_name(dag_run_id: str) -> str:
    """The id of a run as `tailwatch run-stage --run` takes it."""
    name = re.sub(r"[^A-Za-z0-9._-]", "-", dag_run_id)
    if len(name) <= RUN_LIMIT and not re.search(r"[^A-Za-z0-9._:+-]", dag_run_id):
        return name  # of Airflow's own ids no two differ in `:` and `+` alone
    digest = hashlib.sha256(dag_run_id.encode()).hexdigest()[:16]
    return f"{name[: RUN_LIMIT - 17]}-{digest}"


def commit_of(params: Any, task_instance: Any) -> str:
    """The commit that was asked for, else that of a versioned DAG bundle; empty: the project's newest."""
    bundle = getattr(task_instance, "bundle_instance", None)
    return str(params.get("commit") or getattr(bundle, "version", None) or "")


def reason_of(params: Any, dag_run: Any) -> str:
    """Why a run was started: what the person said, else what started it."""
    said = str(params.get("reason") or "").strip()
    kind = str(getattr(dag_run.run_type, "value", dag_run.run_type))
    return said or {"scheduled": "schedule", "asset_triggered": "new clips", "manual": "by hand"}.get(
        kind, kind
    )


def refuse_unknown(dag_run: Any, dag: Any) -> str:
    """Nothing, for a run whose configuration has the form's names alone: Airflow lets others pass.

    Raises:
        AirflowFailException: a mistyped name would leave its default in force.
    """
    from airflow.sdk.exceptions import AirflowFailException

    unknown = sorted(set(dag_run.conf or {}) - set(dag.params))
    if unknown:
        raise AirflowFailException(f"{unknown[0]!a} is no parameter; these are: {', '.join(dag.params)}")
    return ""


MACROS = {
    "run_name": run_name,
    "commit_of": commit_of,
    "reason_of": reason_of,
    "refuse_unknown": refuse_unknown,
}
