"""evaluate: judge one model on every split.

Reads outs/train/<model>/, the tensors of the model's view, labels.csv and, for the clips' lengths, extract's
index; writes outs/evaluate/<model>/.
"""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from components.core.files import write_json
from components.core.settings import to_dict
from components.core.tables import read_csv, write_csv
from components.datasets.clips import SIDES, Label
from components.evaluation import predictions, tuning
from components.evaluation.alarms import own_rule
from components.evaluation.curves import Curve, pr_curve, reliability, roc_curve
from components.evaluation.folds import clips_of_fold, summarise_folds
from components.evaluation.metrics import calibration_pairs
from components.evaluation.predictions import ClipPredictions, digest_of_test_set
from components.evaluation.scoring import FRAME_THRESHOLD, Scoring, Tensors, frame_level, score
from components.evaluation.settings import BootstrapSettings
from components.evaluation.summary import flat_metrics, sign_of_chance, summarise
from components.models.bundle import Bundle, read_bundle
from components.models.fold_table import answer_columns, said_of_folds
from components.models.logits import decide
from pipelines.artifacts import Project, read_clips, read_index, read_labels, read_out

log = logging.getLogger("tailwatch")


def run(project: Project, model_id: str) -> None:
    """Write one model's predictions, metrics and curves.

    Raises:
        BadDataError: bundle, tensors and labels do not fit each other.
    """
    bundle = read_bundle(project.out("train", model_id))
    tensors = read_tensors(project, project.params.model(model_id).view)
    labels = read_labels(project)
    scoring = score(bundle, tensors, labels)
    folds = _folds(project, model_id, labels)
    rule, points = tuning.tune(scoring, _hours(project), project.params.evaluate, own_rule(bundle.info))
    evaluation = describe(project, bundle, scoring) | {
        "folds": summarise_folds(folds, project.params.evaluate.bootstrap) if folds else None,
        "rule": rule,
    }
    folder = project.out("evaluate", model_id)
    write_json(folder / "evaluation.json", evaluation)
    write_json(folder / "metrics.json", _small(evaluation, scoring.clips.classes))
    write_csv(
        folder / "predictions.csv",
        predictions.columns(scoring.clips.classes),
        predictions.to_rows(scoring.clips),
    )
    _write_folds(folder / "folds.csv", folds, scoring.clips.classes)
    _write_frames(folder / "frames.csv", scoring)
    write_csv(folder / "rules.csv", tuning.COLUMNS, tuning.to_rows(points))
    _write_curves(folder, scoring.clips.of_split("test"))
    _log(model_id, evaluation)
    if scoring.clips.scores is not None and (sign := sign_of_chance(evaluation["splits"]["test"]["clips"])):
        log.warning("%s may have learned nothing: %s", model_id, sign)


def read_tensors(project: Project, view: str) -> Tensors:
    """The tensors that reshape wrote for a view; pixels stay on disk."""
    folder = project.out("reshape", view)
    numbers, measured = (_array(folder / f"{name}.npy") for name in ("numbers", "measured"))
    return Tensors(
        read_out(project, "reshape", view, "clips.json")["clips"],
        _array(folder / "frames.npy"),
        numbers,
        measured,
        _array(folder / "activations.npy"),
        _array(folder / "times_s.npy"),
    )


def _folds(project: Project, model_id: str, labels: Mapping[str, Label]) -> list[tuple[int, ClipPredictions]]:
    """Seed and test clips of every fold; nothing where the protocol has no folds."""
    classes = project.params.dataset.classes
    rows = read_csv(project.out("train", model_id, "folds.csv"), answer_columns(classes))
    return [(said.seed, clips_of_fold(said, labels, classes)) for said in said_of_folds(rows, classes)]


def describe(project: Project, bundle: Bundle, scoring: Scoring) -> dict[str, Any]:
    """Everything that is said of a model on the clips of all splits, as plain JSON values."""
    info, wants_numbers = bundle.info, "numbers" in bundle.definition.streams
    return {
        "model": info.model_id,
        "classes": list(info.classes),
        "view": to_dict(info.view),
        "threshold": info.threshold,
        "parameters": info.parameters,
        "min_coverage": project.params.featurize.min_coverage,
        "test_digest": digest_of_test_set(scoring.clips, clip_contents(project)),
        "absent": list(scoring.absent),
        "splits": {split: _split(project, scoring, wants_numbers, split) for split in SIDES},
    }


def _hours(project: Project) -> dict[str, float]:
    """How long each clip lasts, as its decoder saw it."""
    rows = read_index(project, "extract", ("span_s",))
    return {row["clip_id"]: float(row["span_s"]) / 3600 for row in rows if row["span_s"]}


def clip_contents(project: Project) -> dict[str, str]:
    """What each clip holds, by clip_id: its file's digest and its span."""
    return {clip.clip_id: f"{clip.sha256} {clip.start_s} {clip.end_s}" for clip in read_clips(project)}


def _split(project: Project, scoring: Scoring, wants_numbers: bool, split: str) -> dict[str, Any]:
    settings = project.params.evaluate.bootstrap
    clips = scoring.clips.of_split(split)
    covered = clips.where(clips.coverage >= project.params.featurize.min_coverage)
    frames = frame_level(scoring, split)
    return {
        "clips": _of_clips(clips, settings, wants_numbers),
        "covered_clips": _of_clips(covered, settings, wants_numbers),
        "frames": None if frames is None else summarise(frames, settings),
    }


def _of_clips(clips: ClipPredictions, settings: BootstrapSettings, wants_numbers: bool) -> dict[str, Any]:
    """A summary with the coverage of what the model looks at: one that looks at no numbers lacks none."""
    coverage = clips.coverage if wants_numbers else np.ones(len(clips.coverage))
    return summarise(clips.scored(), settings) | {
        "coverage": float(coverage.mean()) if len(coverage) else None
    }


def _small(evaluation: dict[str, Any], classes: tuple[str, ...]) -> dict[str, Any]:
    return {split: flat_metrics(parts["clips"], classes) for split, parts in evaluation["splits"].items()}


def _write_folds(path: Path, folds: list[tuple[int, ClipPredictions]], classes: tuple[str, ...]) -> None:
    rows = ({"seed": seed} | row for seed, part in folds for row in predictions.to_rows(part))
    write_csv(path, ("seed", *predictions.columns(classes)), rows)


def _write_frames(path: Path, scoring: Scoring) -> None:
    classes = scoring.clips.classes
    named = (*(f"p_{name}" for name in classes), "score")
    columns = ("clip_id", "k", "split", "source", "label", "predicted", *named)
    write_csv(path, columns, _frame_rows(scoring))


def _frame_rows(scoring: Scoring) -> Iterator[dict[str, Any]]:
    """One row per frame of which something is said, k its place in the view; none where clips alone are."""
    clips, labels = scoring.clips, scoring.frame_labels()
    for i in range(len(clips.labels)):
        known = {
            "clip_id": str(clips.clip_ids[i]),
            "split": str(clips.splits[i]),
            "source": str(clips.groups[i]),
        }
        for k, of_frame in enumerate(_said_of_frames(scoring, i)):
            label = clips.classes[labels[i, k]] if labels[i, k] >= 0 else ""
            yield known | {"k": scoring.first_frame + k, "label": label} | of_frame


def _said_of_frames(scoring: Scoring, i: int) -> Iterator[dict[str, Any]]:
    """What is said of the frames of the i-th clip."""
    classes, said = scoring.clips.classes, scoring.said_of_frames()
    if said is not None and scoring.frame_scores is not None:
        for score in said[i]:
            yield {"score": float(score), "predicted": classes[int(score >= scoring.threshold)]}
    elif said is not None:
        for values, chosen in zip(said[i], decide(said[i], FRAME_THRESHOLD), strict=True):
            of_frame = {f"p_{name}": float(value) for name, value in zip(classes, values, strict=True)}
            yield {"predicted": classes[chosen]} | of_frame


def _write_curves(folder: Path, test: ClipPredictions) -> None:
    """Curves of the test clips: of the positive class, or of every class when there are more than two."""
    kinds = test.scored().ranked()
    roc = {name: roc_curve(*pair) for name, pair in kinds.items()}
    pr = {name: pr_curve(*pair) for name, pair in kinds.items()}
    write_csv(folder / "roc.csv", ("class", "fpr", "tpr", "threshold"), _curve_rows(roc, "fpr", "tpr"))
    write_csv(
        folder / "pr.csv",
        ("class", "recall", "precision", "threshold"),
        _curve_rows(pr, "recall", "precision"),
    )
    _write_confusion(folder / "confusion.csv", test)
    _write_calibration(folder / "calibration.csv", test)


def _curve_rows(curves: dict[str, Curve | None], x: str, y: str) -> Iterator[dict[str, Any]]:
    """Points of every defined curve; the threshold that admits nobody stays empty."""
    for name, curve in curves.items():
        if curve is not None:
            for at_x, at_y, threshold in zip(curve.x, curve.y, curve.thresholds, strict=True):
                written = float(threshold) if np.isfinite(threshold) else None
                yield {"class": name, x: float(at_x), y: float(at_y), "threshold": written}


def _write_confusion(path: Path, test: ClipPredictions) -> None:
    rows = (
        {"actual": test.classes[label], "predicted": test.classes[predicted]}
        for label, predicted in zip(test.labels, test.predicted, strict=True)
    )
    write_csv(path, ("actual", "predicted"), rows)


def _write_calibration(path: Path, test: ClipPredictions) -> None:
    bins = reliability(*calibration_pairs(test.scored())) if test.scores is None else ()
    rows = (
        {
            "probability": part.promised,
            "frequency": part.observed,
            "low": part.low,
            "high": part.high,
            "n": part.n,
        }
        for part in bins
    )
    write_csv(path, ("probability", "frequency", "low", "high", "n"), rows)


def _array(path: Path) -> np.ndarray | None:
    return np.load(path, mmap_mode="r", allow_pickle=False) if path.is_file() else None


def _log(model_id: str, evaluation: dict[str, Any]) -> None:
    test = evaluation["splits"]["test"]["clips"]
    found = test["metrics"]["accuracy"]
    if found["value"] is None:
        log.info("%s: no test clips", model_id)
    elif found["low"] is None:
        log.info("%s: accuracy %.3f on %d test clips", model_id, found["value"], test["n"])
    else:
        log.info(
            "%s: accuracy %.3f (%.3f to %.3f) on %d test clips of %d source groups",
            *(model_id, found["value"], found["low"], found["high"], test["n"], test["n_groups"]),
        )
    if evaluation["folds"]:
        over = evaluation["folds"]
        found = over["metrics"]["accuracy"]
        log.info(
            "%s: accuracy %.3f over %d folds of %d seeds",
            *(model_id, found["value"], over["folds"], len(over["seeds"])),
        )
    if evaluation["absent"]:
        log.warning("%s: clips that could not be used: %d", model_id, len(evaluation["absent"]))
