"""compare: every enabled model beside the others, the differences tested, the challenger named.

Reads exactly the enabled models' outs/evaluate/<model>/; writes outs/compare/.
"""

import logging
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from components.core.errors import BadDataError
from components.core.files import read_json, write_json
from components.core.settings import to_dict
from components.core.tables import read_csv, write_csv
from components.evaluation.evidence import Evaluated, check_test_sets, gather_evidence
from components.evaluation.folds import beside_the_best
from components.evaluation.gate import Verdict, judge
from components.evaluation.metrics import better
from components.evaluation.paired import holm, paired_difference
from components.evaluation.predictions import columns, from_rows, pair_on, parts_of
from components.evaluation.reference import PaperRow, paper_rows
from components.evaluation.settings import CompareSettings
from components.evaluation.suspects import suspected_labels, worst_mistakes
from pipelines.artifacts import Project

log = logging.getLogger("tailwatch")

WORST_PER_MODEL = 10
TABLE_METRICS = ("accuracy", "macro_f1", "roc_auc", "pr_auc", "brier", "ece")
TABLE_COLUMNS = (
    *("model", "source", "is_baseline", "parameters", "val_accuracy"),
    *("accuracy", "accuracy_low", "accuracy_high", *TABLE_METRICS[1:], "n", "n_groups"),
    *("folds_accuracy", "folds_low", "folds_high", "folds_spread", "remark"),
)


def run(project: Project) -> None:
    """Write the table, the tests and the verdict that the challenger would get without a champion.

    Raises:
        BadDataError: an enabled model was not evaluated, or on another test set.
    """
    settings = project.params.compare
    evaluated = [read_evaluated(project, model_id) for model_id in project.params.models]
    check_test_sets(evaluated)
    _check_test_side(evaluated[0])
    for name in settings.baselines:
        if name not in project.params.models:
            log.warning("The baseline %s is not enabled under models: the gate does not ask for it", name)
    challenger = choose_challenger(evaluated, settings)
    verdict = preview(project, evaluated, challenger)
    papers = paper_rows(settings.paper_rows)
    comparison = {
        "models": [_model(item, settings) for item in evaluated],
        "paired": _paired(evaluated, challenger, settings),
        "folds": _folds(evaluated, settings),
        "papers": [to_dict(row) for row in papers],
        "choose_by": settings.choose_by,
        "challenger": challenger and challenger.model,
        "verdict_without_champion": verdict and to_dict(verdict),
        "suspected_labels": _suspects(evaluated, settings),
        "worst_mistakes": {item.model: _mistakes(item) for item in evaluated},
        "test_digest": evaluated[0].test_digest,
    }
    write_json(project.out("compare", "comparison.json"), comparison)
    rows = [*(_table_row(item, settings) for item in evaluated), *(_paper_table_row(row) for row in papers)]
    write_csv(project.out("compare", "table.csv"), TABLE_COLUMNS, rows)
    _log(challenger, verdict)


def _check_test_side(evaluated: Evaluated) -> None:
    if len(evaluated.predictions.of_split("test").clip_ids) == 0:
        raise BadDataError(
            "No clip lies on the test side",
            wanted="test clips of every class",
            remedy="look at split in params.yaml (its fractions; its seed: `tailwatch split`) or at the data "
            "set's own lists, or add clips of more sources",
        )


def read_evaluated(project: Project, model_id: str) -> Evaluated:
    """One model's evaluation.

    Raises:
        BadDataError: it is not there.
    """
    folder = project.out("evaluate", model_id)
    if not (folder / "evaluation.json").is_file():
        raise BadDataError(
            f"{model_id} is enabled and has no evaluation in {folder}",
            wanted="an evaluation of every enabled model",
            remedy=f"run `dvc repro evaluate@{model_id}`, or remove the model from params.yaml",
        )
    summary = read_json(folder / "evaluation.json")
    classes = tuple(summary["classes"])
    return Evaluated(
        model_id,
        summary,
        from_rows(read_csv(folder / "predictions.csv", columns(classes)), classes),
        parts_of(read_csv(folder / "folds.csv", ("seed", *columns(classes))), classes),
    )


def choose_challenger(evaluated: Sequence[Evaluated], settings: CompareSettings) -> Evaluated | None:
    """The best by a validation metric that is no baseline; of equals the smaller, then the first by name.

    Returns:
        None when there is no such model.
    """
    sign = -1 if better(settings.choose_by) == "higher" else 1

    def place(item: Evaluated) -> tuple[bool, float, int, str]:
        value = item.metric("val", settings.choose_by)
        return value is None, sign * (value or 0.0), item.summary["parameters"], item.model

    candidates = [item for item in evaluated if item.model not in settings.baselines]
    return min(candidates, key=place, default=None)


def preview(project: Project, evaluated: Sequence[Evaluated], challenger: Evaluated | None) -> Verdict | None:
    """The gate's verdict as if there were no champion."""
    if challenger is None:
        return None
    return judge(
        gather_evidence(challenger, _baselines(evaluated, project.params.compare)), project.params.gate
    )


def _baselines(evaluated: Sequence[Evaluated], settings: CompareSettings) -> list[Evaluated]:
    return [item for item in evaluated if item.model in settings.baselines]


def _model(item: Evaluated, settings: CompareSettings) -> dict[str, Any]:
    kept = ("parameters", "view", "threshold", "absent", "splits")
    return {
        "model": item.model,
        "is_baseline": item.model in settings.baselines,
        **{name: item.summary[name] for name in kept},
    }


def _paired(
    evaluated: Sequence[Evaluated], challenger: Evaluated | None, settings: CompareSettings
) -> list[dict[str, Any]]:
    """The challenger against all models, all models against the baselines, adjusted for testing them all."""
    pairs = _pairs(evaluated, challenger, settings)
    found = [
        paired_difference(pair_on("test", first.predictions, second.predictions), settings.bootstrap)
        for first, second in pairs
    ]
    adjusted = holm([difference.p_sign_flip for difference in found])
    return [
        {"first": first.model, "second": second.model, "p_holm": p_holm} | to_dict(difference)
        for (first, second), difference, p_holm in zip(pairs, found, adjusted, strict=True)
    ]


def _folds(evaluated: Sequence[Evaluated], settings: CompareSettings) -> dict[str, Any] | None:
    """Every model over all folds, and the best against the others; None where the protocol has no folds."""
    if not all(item.folds for item in evaluated):
        return None
    return {
        "models": [{"model": item.model} | item.summary["folds"] for item in evaluated],
        "paired": beside_the_best({item.model: item.folds for item in evaluated}, settings.bootstrap),
    }


def _pairs(
    evaluated: Sequence[Evaluated], challenger: Evaluated | None, settings: CompareSettings
) -> list[tuple[Evaluated, Evaluated]]:
    baselines = _baselines(evaluated, settings)
    others = [item for item in evaluated if item.model not in settings.baselines and item is not challenger]
    against_best = [(challenger, item) for item in (*others, *baselines)] if challenger else []
    return [*against_best, *product(others, baselines)]


def _suspects(evaluated: Sequence[Evaluated], settings: CompareSettings) -> list[dict[str, Any]]:
    """Labels that the models together do not believe; baselines and scorers of anomalies have no say."""
    tables = [
        item.predictions.by_clip()
        for item in evaluated
        if item.model not in settings.baselines and item.predictions.scores is None
    ]
    if not tables:
        return []
    first = tables[0]
    probabilities, predicted = (
        np.stack([getattr(table, name) for table in tables]) for name in ("probabilities", "predicted")
    )
    found = suspected_labels(first.labels, probabilities, predicted)
    return [
        _clip(first, suspect.place)
        | {
            "suggested": first.classes[suspect.suggested],
            "probability": suspect.probability,
            "agreeing": suspect.agreeing,
            "models": len(tables),
        }
        for suspect in found
    ]


def _mistakes(item: Evaluated) -> list[dict[str, Any]]:
    test = item.predictions.of_split("test")
    if test.scores is not None:  # how wrong a score is cannot be said
        return []
    found = worst_mistakes(test.labels, test.predicted, test.probabilities, WORST_PER_MODEL)
    return [
        _clip(test, mistake.place)
        | {"predicted": test.classes[mistake.predicted], "probability": mistake.probability}
        for mistake in found
    ]


def _clip(table: Any, place: int) -> dict[str, Any]:
    return {
        "clip_id": str(table.clip_ids[place]),
        "split": str(table.splits[place]),
        "source": str(table.groups[place]),
        "label": table.classes[table.labels[place]],
        "coverage": float(table.coverage[place]),
    }


def _table_row(item: Evaluated, settings: CompareSettings) -> dict[str, Any]:
    test = item.summary["splits"]["test"]["clips"]
    metrics = test["metrics"]
    return {
        "model": item.model,
        "source": "ours",
        "is_baseline": item.model in settings.baselines,
        "parameters": item.summary["parameters"],
        "val_accuracy": item.metric("val", "accuracy"),
        **{name: metrics[name]["value"] for name in TABLE_METRICS},
        "accuracy_low": metrics["accuracy"]["low"],
        "accuracy_high": metrics["accuracy"]["high"],
        "n": test["n"],
        "n_groups": test["n_groups"],
        **_over_folds(item),
    }


def _over_folds(item: Evaluated) -> dict[str, float | None]:
    """What the table says of a model over all folds."""
    found = (item.summary.get("folds") or {"metrics": {}})["metrics"].get("accuracy", {})
    names = {"accuracy": "value", "low": "low", "high": "high", "spread": "spread"}
    return {f"folds_{name}": found.get(key) for name, key in names.items()}


def _paper_table_row(row: PaperRow) -> dict[str, Any]:
    bounds = (row.interval.low, row.interval.high) if row.interval else (None, None)
    is_accuracy = row.metric == "accuracy"
    return {
        "model": row.name,
        "source": row.source,
        row.metric: row.value,
        "accuracy_low": bounds[0] if is_accuracy else None,
        "accuracy_high": bounds[1] if is_accuracy else None,
        "n": row.n,
        "remark": row.remark,
    }


def _log(challenger: Evaluated | None, verdict: Verdict | None) -> None:
    if challenger is None or verdict is None:
        log.warning("Only baselines are enabled: no challenger")
        return
    log.info("Challenger: %s; without a champion the gate says %s", challenger.model, verdict.decision)
    for reason in verdict.reasons:
        log.info("  %-22s %-7s %s (wanted: %s)", reason.rule, reason.outcome, reason.measured, reason.wanted)
