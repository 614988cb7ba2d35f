"""Evaluations put together as what the gate looks at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.core.errors import BadDataError
from components.evaluation.gate import Champion, Evidence
from components.evaluation.predictions import ClipPredictions, pair_on


@dataclass(frozen=True)
class Evaluated:
    """One model's evaluation.

    Attributes:
        model: its name.
        summary: evaluation.json.
        predictions: predictions.csv.
        folds: folds.csv: seed and the test clips of each fold under it; empty without folds.
    """

    model: str
    summary: Mapping[str, Any]
    predictions: ClipPredictions
    folds: Sequence[tuple[int, ClipPredictions]] = ()

    @property
    def test_digest(self) -> str:
        """Digest of the test set that it was judged on."""
        return str(self.summary["test_digest"])

    def metric(self, split: str, name: str) -> float | None:
        """A metric over all clips of a split; None when undefined."""
        value: float | None = self.summary["splits"][split]["clips"]["metrics"][name]["value"]
        return value


def gather_evidence(
    challenger: Evaluated, baselines: Sequence[Evaluated], champion: tuple[str, Evaluated] | None = None
) -> Evidence:
    """What the gate needs to judge a challenger.

    Args:
        champion: the registered name and the champion's evaluation, made anew on the challenger's test set.

    Raises:
        BadDataError: a baseline was judged on another test set.
    """
    check_test_sets([challenger, *baselines])
    test = challenger.summary["splits"]["test"]["clips"]
    return Evidence(
        model=challenger.model,
        classes=challenger.predictions.classes,
        test_digest=challenger.test_digest,
        n_groups=test["n_groups"],
        metrics=_metrics(challenger, test),
        baselines={
            item.model: pair_on("test", challenger.predictions, item.predictions) for item in baselines
        },
        champion=champion and _champion(challenger, *champion),
    )


def check_test_sets(evaluated: Sequence[Evaluated]) -> None:
    """Refuse evaluations that were not made on one test set.

    Raises:
        BadDataError: two of them differ.
    """
    for item in evaluated[1:]:
        if item.test_digest != evaluated[0].test_digest:
            raise BadDataError(
                f"{evaluated[0].model} and {item.model} were judged on different test sets",
                wanted="evaluations of one state of the data",
                remedy="run `dvc repro`",
            )


def _metrics(challenger: Evaluated, test: Mapping[str, Any]) -> dict[str, float | None]:
    recalls = {
        f"recall_{name}": challenger.metric("test", f"recall_{name}")
        for name in challenger.predictions.classes
    }
    return {
        "accuracy": test["metrics"]["accuracy"]["value"],
        "accuracy_low": test["metrics"]["accuracy"]["low"],
        "coverage": test["coverage"],
        **recalls,
    }


def _champion(challenger: Evaluated, name: str, evaluated: Evaluated) -> Champion:
    same = evaluated.test_digest == challenger.test_digest
    pair = pair_on("test", challenger.predictions, evaluated.predictions) if same else None
    return Champion(name, evaluated.test_digest, pair)
