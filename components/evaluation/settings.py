"""Settings of evaluate, compare and the gate, as they stand in params.yaml."""

from dataclasses import dataclass, field
from typing import Literal

from components.core.errors import UsageError
from components.core.settings import check_range


@dataclass(frozen=True)
class BootstrapSettings:
    """How intervals are resampled.

    Attributes:
        samples: resamples drawn.
        level: two-sided confidence, in [0, 1); at 0 the bounds are the median of the resamples.
        seed: of the generator; the same seed gives the same interval.
    """

    samples: int = 2000
    level: float = 0.95
    seed: int = 27

    def __post_init__(self) -> None:
        check_range("bootstrap.samples", self.samples, 1)
        check_range("bootstrap.seed", self.seed, 0)
        _check_confidence("bootstrap.level", self.level, 0)


@dataclass(frozen=True)
class EvaluateSettings:
    """How one model is judged.

    Attributes:
        alarms_per_hour: false alarms per hour of negative video that the rule of alarms, chosen on
            validation, may give there; null: no rule is chosen.
    """

    bootstrap: BootstrapSettings = field(default_factory=BootstrapSettings)
    alarms_per_hour: float | None = 1.0

    def __post_init__(self) -> None:
        if self.alarms_per_hour is not None and not self.alarms_per_hour >= 0:  # true for NaN, too
            raise UsageError(
                f"evaluate.alarms_per_hour is {self.alarms_per_hour}",
                wanted="false alarms per hour, 0 or more, or null",
                remedy="correct the value in params.yaml",
            )


@dataclass(frozen=True)
class CompareSettings:
    """How models are set beside each other.

    Attributes:
        choose_by: the validation metric whose best model becomes the challenger; the test set has no say.
        baselines: models that others must beat and that never become the challenger, as far as enabled.
        paper_rows: the papers' tables that are quoted beside the models.
    """

    choose_by: Literal["accuracy", "macro_f1", "macro_recall", "roc_auc", "pr_auc", "brier"] = "accuracy"
    baselines: tuple[str, ...] = ("majority", "logistic")
    paper_rows: tuple[str, ...] = ("stalking",)
    bootstrap: BootstrapSettings = field(default_factory=BootstrapSettings)


@dataclass(frozen=True)
class GateSettings:
    """The written rule of promotion; all shares and differences in [0, 1].

    Attributes:
        min_accuracy: floor of the test accuracy.
        min_accuracy_low: floor of the lower bound of its interval over source groups.
        min_recall: floor of every class's recall.
        min_coverage: floor of the share of wanted measurements that were really measured.
        min_groups: source groups in the test set below which nothing is promoted. The bounds rest on them: a
            baseline no worse than the challenger is passed by in 16 % of test sets of 4 groups, 13 % of 6 and
            10 % of 12 or more, where 10 % are promised.
        baseline_confidence: one-sided confidence at which every baseline must be beaten.
        champion_confidence: one-sided confidence of the bounds against the champion.
        margin: how much worse than the champion the lower bound may lie.
        samples, seed: of the bootstrap over source groups.
    """

    min_accuracy: float = 0.6
    min_accuracy_low: float = 0.5
    min_recall: float = 0.4
    min_coverage: float = 0.3
    min_groups: int = 4
    baseline_confidence: float = 0.9
    champion_confidence: float = 0.95
    margin: float = 0.05
    samples: int = 2000
    seed: int = 27

    def __post_init__(self) -> None:
        for name, low in (("samples", 1), ("seed", 0), ("min_groups", 0)):
            check_range(f"gate.{name}", getattr(self, name), low)
        shares = ("min_accuracy", "min_accuracy_low", "min_recall", "min_coverage", "margin")
        for name in shares:
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(
                    f"gate.{name} is {getattr(self, name)}",
                    wanted="a share from 0 to 1",
                    remedy="correct the value in params.yaml; 60 percent is 0.6",
                )
        for name in ("baseline_confidence", "champion_confidence"):
            _check_confidence(f"gate.{name}", getattr(self, name), 0.5)

    def bootstrap(self, confidence: float) -> BootstrapSettings:
        """Resampling whose bounds each hold with this one-sided confidence."""
        return BootstrapSettings(self.samples, 2 * confidence - 1, self.seed)


def _check_confidence(where: str, value: float, low: float) -> None:
    """Refuse a confidence that bounds cannot have: certainty has none."""
    if not low <= value < 1:
        raise UsageError(
            f"{where} is {value}",
            wanted=f"a share from {low:g} on and below 1",
            remedy="correct the value in params.yaml; 95 percent is 0.95",
        )
