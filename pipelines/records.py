"""What each stage's run says in MLflow, read from the files that the stage wrote."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.core.errors import BadDataError
from components.core.files import read_json
from components.evaluation.evidence import Evaluated
from components.tracking.records import Point, RunRecord, flatten, run_key
from pipelines.artifacts import Project
from pipelines.pictures import comparison_pictures, evaluation_pictures, read_history, training_pictures
from pipelines.provenance import Provenance, StageLock

EVALUATION_FILES = ("evaluation.json", "metrics.json", "predictions.csv")
COMPARISON_FILES = ("comparison.json", "table.csv")
HISTORY = "history.csv"


def train_record(project: Project, model_id: str, state: Provenance) -> RunRecord:
    """The run of one model's training."""
    lock = stage_lock(state, f"train@{model_id}")
    folder = project.out("train", model_id)
    bundle = read_json(folder / "bundle.json")
    return RunRecord(
        f"train@{model_id}",
        train_key(model_id, lock.params, lock.read(), bundle["digests"]["code"]),
        params=train_params(model_id, lock.params),
        metrics=[*_history(folder / HISTORY), *_outcome(folder, bundle)],
        tags={"tailwatch.model_id": model_id, "tailwatch.code": lock.code(), **origins(bundle)},
        origin=state.tags(),
        inputs=lock.data("training"),
        artifacts=_files(folder, ("bundle.json", HISTORY)),
        pictures=lambda: training_pictures(model_id, folder / HISTORY),
    )


def train_key(model_id: str, params: Mapping[str, Any], data: Mapping[str, str], code: str) -> str:
    """The key of a training, known before its first epoch.

    Args:
        params: of the stage, as dvc.yaml names them.
        data: DVC's digest of each file or folder that is learned from.
        code: digest of the code that learns, as the bundle has it.
    """
    causes = {"params": train_params(model_id, params), "data": dict(data), "code": code}
    return run_key(f"train@{model_id}", causes)


def train_params(model_id: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The stage's parameters under names that are the same for every model, so that runs compare."""
    common = {name: value for name, value in params.items() if name != f"models.{model_id}"}
    return {**common, "model": {"id": model_id, **params.get(f"models.{model_id}", {})}}


def evaluate_record(evaluated: Evaluated, folder: Path, state: Provenance) -> RunRecord:
    """The run of one model's evaluation.

    Args:
        folder: what the stage wrote.
    """
    name = f"evaluate@{evaluated.model}"
    lock = stage_lock(state, name)
    return RunRecord(
        name,
        run_key(name, {"stage": lock.key()}),
        params={
            **lock.params,
            "threshold": evaluated.summary["threshold"],
            "view": evaluated.summary["view"],
        },
        metrics=list(_evaluation(evaluated.summary)),
        tags={"tailwatch.model_id": evaluated.model, "tailwatch.test_set": evaluated.test_digest},
        origin=state.tags(),
        inputs=lock.data("testing"),
        artifacts=_files(folder, EVALUATION_FILES),
        pictures=lambda: evaluation_pictures(evaluated),
    )


def compare_record(folder: Path, state: Provenance) -> RunRecord:
    """The run of the comparison.

    Args:
        folder: what the stage wrote.
    """
    lock = stage_lock(state, "compare")
    comparison = read_json(folder / "comparison.json")
    verdict = comparison["verdict_without_champion"] or {}
    return RunRecord(
        "compare",
        run_key("compare", {"stage": lock.key()}),
        params={"compare": lock.params.get("compare", {}), "gate": lock.params.get("gate", {})},
        metrics=list(_comparison(comparison)),
        tags={
            "tailwatch.challenger": str(comparison["challenger"]),
            "tailwatch.verdict_without_champion": str(verdict.get("decision", "none")),
            "tailwatch.test_set": comparison["test_digest"],
        },
        origin=state.tags(),
        inputs=lock.data("testing"),
        artifacts=_files(folder, COMPARISON_FILES),
        pictures=lambda: comparison_pictures(comparison),
    )


def stage_lock(state: Provenance, name: str) -> StageLock:
    """What DVC knows of a stage.

    Raises:
        BadDataError: the stage did not run under this dvc.lock.
    """
    if name not in state.stages:
        raise BadDataError(
            f"dvc.lock does not know {name}", wanted="a run of every stage", remedy="run `dvc repro`"
        )
    return state.stages[name]


def _history(path: Path) -> Iterator[Point]:
    columns = read_history(path)
    for name, values in columns.items():
        if name != "epoch":
            yield from (
                Point(name, value, int(epoch)) for epoch, value in zip(columns["epoch"], values, strict=True)
            )


def _outcome(folder: Path, bundle: Mapping[str, Any]) -> Iterator[Point]:
    """How large the model is and how its training ended; the same names as while it ran."""
    yield Point("parameters", bundle["parameters"])
    yield Point("model_bytes", (folder / "weights.npz").stat().st_size)
    training = bundle["training"]
    numbers = {**training, **flatten(training.get("dead_units", {}), "dead_units.")}
    for name, value in numbers.items():
        if name.startswith("dead_units.") or isinstance(value, int | float):
            yield Point(name, float(value))


def origins(bundle: Mapping[str, Any]) -> dict[str, str]:
    """Which networks measured the clips, every digest that the bundle has, and where it was computed."""
    chain = bundle["chain"]
    chosen = {
        "segmenter": chain["segment"]["backend"],
        "detector": chain["featurize"]["detector"],
        "landmarks": chain["featurize"]["landmarks"],
        "stopped": bundle["training"].get("stopped", ""),
        "weights_sha256": bundle["weights_sha256"],
    }
    digests = flatten(bundle["digests"], "tailwatch.digest.")
    environment = flatten(bundle["environment"], "tailwatch.environment.")
    return digests | environment | {f"tailwatch.{name}": str(value) for name, value in chosen.items()}


def _evaluation(summary: Mapping[str, Any]) -> Iterator[Point]:
    """Every metric of every split and level with its bounds: "test/accuracy", "test.frames/accuracy_low"."""
    for split, levels in summary["splits"].items():
        for level, part in levels.items():
            if part is not None and part["n"]:
                yield from _level(split if level == "clips" else f"{split}.{level}", part)


def _level(place: str, part: Mapping[str, Any]) -> Iterator[Point]:
    yield Point(f"{place}/n", part["n"])
    yield Point(f"{place}/n_groups", part["n_groups"])
    values = {"coverage": part.get("coverage")}
    for name, found in part["metrics"].items():
        values |= {name: found["value"], f"{name}_low": found["low"], f"{name}_high": found["high"]}
    for name, value in values.items():
        if value is not None:
            yield Point(f"{place}/{name}", float(value))


def _comparison(comparison: Mapping[str, Any]) -> Iterator[Point]:
    for model in comparison["models"]:
        accuracy = model["splits"]["test"]["clips"]["metrics"]["accuracy"]
        for suffix, key in (("", "value"), ("_low", "low"), ("_high", "high")):
            if accuracy[key] is not None:
                yield Point(f"{model['model']}/accuracy{suffix}", accuracy[key])


def _files(folder: Path, names: Sequence[str]) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}
