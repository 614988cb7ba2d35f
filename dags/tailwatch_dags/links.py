"""Buttons on a task: its run in MLflow, and the report. A task writes them down when it ends."""

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk import BaseOperatorLink

from tailwatch_dags.settings import read_settings

if TYPE_CHECKING:
    from airflow.sdk.types import TaskInstanceKey

REPORT_PARTS = 3


class MlflowLink(BaseOperatorLink):
    """The run that the task's answer names."""

    name = "MLflow"

    def get_link(self, operator: Any, *, ti_key: "TaskInstanceKey") -> str:  # noqa: ARG002
        """An address, or nothing."""
        return mlflow_address(read_settings().mlflow, getattr(operator, "answer", None) or {})


class ReportLink(BaseOperatorLink):
    """The report that the task's answer names."""

    name = "Report"

    def get_link(self, operator: Any, *, ti_key: "TaskInstanceKey") -> str:  # noqa: ARG002
        """An address, or nothing."""
        return report_address(read_settings().reports, getattr(operator, "answer", None) or {})


def mlflow_address(base: str, answer: dict[str, Any]) -> str:
    """The page of a run; empty where there is none."""
    if base and answer.get("mlflow_run"):
        return f"{base.rstrip('/')}/#/experiments/{answer.get('experiment')}/runs/{answer['mlflow_run']}"
    return ""


def report_address(base: str, answer: dict[str, Any]) -> str:
    """The report's page: RUN/report/index.html below what serves TAILWATCH_RUNS; empty where nothing does."""
    place = str(answer.get("report") or "")
    below = "/".join(place.split("/")[-REPORT_PARTS:])
    return f"{base.rstrip('/')}/{quote(below)}" if base and place else ""
