"""Folds put together: every clip judged by models that did not learn from it, once in every seed."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from components.core.errors import BadDataError
from components.core.settings import to_dict
from components.evaluation.intervals import group_draws, percentile_bounds
from components.evaluation.metrics import Scored, measures, number_or_none
from components.evaluation.paired import Pair, holm, paired_difference
from components.evaluation.predictions import ClipPredictions, class_indices
from components.evaluation.settings import BootstrapSettings
from components.evaluation.summary import summarise

if TYPE_CHECKING:
    from components.datasets.clips import Label
    from components.models.fold_table import Said

RANKING = "roc_auc"
METRICS = ("accuracy", "macro_f1", "macro_recall", RANKING)
_POINTS = BootstrapSettings(samples=1)


def clips_of_fold(
    said: "Said", labels: "Mapping[str, Label]", classes: tuple[str, ...], side: str = "test"
) -> ClipPredictions:
    """One side of one fold and seed, as predictions whose split is the fold.

    Raises:
        BadDataError: a clip that has no label.
    """
    chosen = [i for i, own in enumerate(said.sides) if own == side]
    strangers = [said.clip_ids[i] for i in chosen if said.clip_ids[i] not in labels]
    if strangers:
        raise BadDataError(
            f"folds.csv has {strangers[0]}, which has no label",
            wanted="folds of the present clips",
            remedy="run `dvc repro`",
        )
    told = [labels[said.clip_ids[i]] for i in chosen]
    return ClipPredictions(
        clip_ids=np.array([label.clip_id for label in told]),
        splits=np.full(len(chosen), said.split),
        groups=np.array([label.source for label in told]),
        labels=class_indices([label.label for label in told], classes),
        predicted=said.predicted[chosen],
        probabilities=said.probabilities[chosen],
        raw=said.raw[chosen],
        coverage=np.full(len(chosen), np.nan),  # folds.csv of train does not say it
        classes=classes,
        scores=None if said.scores is None else said.scores[chosen],
    )


def summarise_folds(
    parts: Sequence[tuple[int, ClipPredictions]], settings: BootstrapSettings
) -> dict[str, Any]:
    """What all folds and seeds say together, as plain JSON values.

    Args:
        parts: seed and the clips of one side of each fold under it.

    Returns:
        folds, seeds, n (clips, each counted once), n_groups; metrics by name: value over all clips and seeds,
        low and high by the bootstrap over source groups, mean and spread (standard deviation) over folds and
        seeds; parts: the accuracy of each fold and seed. The value of roc_auc is its mean over folds and
        seeds, because scores of two models have no order.
    """
    whole = joined(parts)
    summary = summarise(whole, settings)
    each = [(seed, part, summarise(part.scored(), _POINTS)["metrics"]) for seed, part in parts]
    metrics = {
        name: {
            **{bound: summary["metrics"][name][bound] for bound in ("value", "low", "high")},
            **_spread([of_part[name]["value"] for _, _, of_part in each]),
        }
        for name in METRICS
    }
    metrics[RANKING] |= _mean_ranking(parts, settings)
    return {
        "folds": len(parts) // len({seed for seed, _ in parts}),
        "seeds": sorted({seed for seed, _ in parts}),
        "n": len({str(clip_id) for _, part in parts for clip_id in part.clip_ids}),
        "n_groups": whole.n_groups,
        "metrics": metrics,
        "confusion": summary["confusion"],
        "parts": [
            {"seed": seed, "split": str(part.splits[0]), "n": len(part.labels)}
            | {"accuracy": of_part["accuracy"]["value"]}
            for seed, part, of_part in each
        ],
    }


def beside_the_best(
    models: Mapping[str, Sequence[tuple[int, ClipPredictions]]], settings: BootstrapSettings
) -> list[dict[str, Any]]:
    """The model of the highest accuracy over all folds against every other, as plain JSON values.

    P values are adjusted for comparing all models with each other, because the same clips have told which one
    is the best. A difference whose adjusted p value is not below 1 - level is a tie.
    """
    accuracy = {name: _accuracy(joined(parts)) for name, parts in models.items()}
    ranked = sorted(models, key=lambda name: (-accuracy[name], name))
    pairs = list(combinations(ranked, 2))
    found = [paired_difference(pair_folds(models[one], models[other]), settings) for one, other in pairs]
    adjusted = holm([difference.p_sign_flip for difference in found])
    return [
        {"first": one, "second": other, "p_holm": p_holm, "tie": p_holm >= 1 - settings.level}
        | to_dict(difference)
        for (one, other), difference, p_holm in zip(pairs, found, adjusted, strict=True)
        if one == ranked[0]
    ]


def joined(parts: Sequence[tuple[int, ClipPredictions]]) -> Scored:
    """The test clips of all folds and seeds, in the order of seed and clip; a clip counts once per seed."""
    keys = [(seed, str(clip_id)) for seed, part in parts for clip_id in part.clip_ids]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    first = parts[0][1]

    def together(name: str) -> NDArray[Any]:
        values: NDArray[Any] = np.concatenate([getattr(part, name) for _, part in parts])[order]
        return values

    return Scored(
        together("labels"),
        together("predicted"),
        together("probabilities"),
        together("groups"),
        first.classes,
        None if first.scores is None else together("scores"),
    )


def pair_folds(
    first: Sequence[tuple[int, ClipPredictions]], second: Sequence[tuple[int, ClipPredictions]]
) -> Pair:
    """Two models' predictions of the same clips under the same seeds.

    Raises:
        BadDataError: they were tested on other clips, or under other seeds.
    """
    tested = [
        sorted((seed, str(clip)) for seed, part in parts for clip in part.clip_ids)
        for parts in (first, second)
    ]
    if tested[0] != tested[1]:
        raise BadDataError(
            f"Folds of {len(tested[0])} and {len(tested[1])} clips that do not match",
            wanted="the same clips and seeds for all models",
            remedy="run `dvc repro`",
        )
    one, other = joined(first), joined(second)
    return Pair(one.labels, one.predicted, other.predicted, one.groups)


def _mean_ranking(
    parts: Sequence[tuple[int, ClipPredictions]], settings: BootstrapSettings
) -> dict[str, float | None]:
    """Mean over folds and seeds of how well each model ranks its test clips, groups resampled whole."""
    names = sorted({str(group) for _, part in parts for group in part.groups})
    draws = np.concatenate([np.ones((1, len(names))), group_draws(len(names), settings)])
    place = {name: k for k, name in enumerate(names)}
    of_parts = np.stack(
        [
            measures(part.scored(), draws[:, [place[str(group)] for group in part.groups]])[RANKING]
            for _, part in parts
        ]
    )
    known = ~np.isnan(of_parts)
    count = known.sum(axis=0)
    means = np.divide(
        np.where(known, of_parts, 0).sum(axis=0), count, out=np.full(len(draws), np.nan), where=count > 0
    )
    bounds = percentile_bounds(means[1:], settings.level)
    low, high = (None, None) if bounds is None else bounds
    return {"value": number_or_none(means[0]), "low": low, "high": high}


def _accuracy(scored: Scored) -> float:
    return float((scored.labels == scored.predicted).mean())


def _spread(values: Sequence[float | None]) -> dict[str, float | None]:
    known = [value for value in values if value is not None]
    return {
        "mean": float(np.mean(known)) if known else None,
        "spread": float(np.std(known, ddof=1)) if len(known) > 1 else None,
    }
