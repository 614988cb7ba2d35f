"""What the run of each variation says in MLflow, read from the tables of `tailwatch vary`."""

from collections.abc import Iterator, Mapping
from typing import Any

from components.tracking.records import Point, RunRecord, run_key
from pipelines.artifacts import Project
from pipelines.provenance import Provenance
from pipelines.reporting.variations import FOLDER, METRICS, SIDES, read_table

_TOLD = ("train_clips", "train_groups", "trainings", "epochs", "cut_short")


def variation_records(project: Project, state: Provenance) -> list[RunRecord]:
    """One run per row that was judged, of every table that lies there."""
    paths = sorted((project.root / FOLDER).glob("*.csv"))
    return [_record(row, path.stem, state) for path in paths for row in read_table(path) if not row["failed"]]


def _record(row: Mapping[str, Any], table: str, state: Provenance) -> RunRecord:
    shown = ", ".join(f"{name}={value}" for name, value in row["settings"].items())
    name = f"vary@{row['model']} {shown}"
    return RunRecord(
        name,
        run_key(name, {"trainings": row["key"]}),
        params={"model": {"id": row["model"], **row["settings"]}, "protocol": row["protocol"]},
        metrics=[Point(metric, value) for metric, value in _metrics(row) if value is not None],
        tags={"tailwatch.model_id": row["model"], "tailwatch.variations": table},
        origin=state.tags(),
    )


def _metrics(row: Mapping[str, Any]) -> Iterator[tuple[str, float | None]]:
    yield from ((name, row[name]) for name in _TOLD)
    for side in SIDES:
        for metric in METRICS:
            for bound in ("", "_low", "_high", "_spread"):
                yield f"{side}/{metric}{bound}", row[f"{side}_{metric}{bound}"]
