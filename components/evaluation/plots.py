"""Pictures of an evaluation as PNG bytes, the papers' figures 7, 8 and 9 among them.

One look for all: the models' colours are told apart by people who do not see red and green alike (Okabe and
Ito, "Color Universal Design", 2008), and every number that a person compares carries its interval.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.curves import Curve, ReliabilityBin

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#8c8c8c"
COLOURS = (BLUE, ORANGE, GREEN, "#CC79A7", "#E69F00", "#56B4E9")
DOTS_PER_INCH = 110
_SMALL: dict[str, Any] = {"textcoords": "offset points", "fontsize": 8}


@dataclass(frozen=True)
class Bar:
    """One model in the bar chart.

    Attributes:
        value: in [0, 1].
        low, high: its interval, or None.
        kind: ours, a baseline or a paper's number, which decides the colour.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    kind: str


def confusion_png(counts: NDArray[np.int64], classes: Sequence[str], title: str) -> bytes:
    """Confusion matrix (K, K), row = label, with counts and shares of each label (the paper's Figure 9)."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    k = len(classes)
    with _figure(2.2 + 1.1 * k, 1.6 + 1.0 * k) as figure:
        axes = figure.axes[0]
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for row, column in np.ndindex(k, k):
            axes.text(
                *(column, row, f"{counts[row, column]}\n{shares[row, column]:.0%}"),
                ha="center",
                va="center",
                color="white" if shares[row, column] > 0.6 else "black",
            )
        names = [_readable(name) for name in classes]
        axes.set_xticks(range(k), names)
        axes.set_yticks(range(k), names, rotation=90, va="center")
        axes.set(xlabel="predicted", ylabel="label", title=title)
        axes.spines[:].set_visible(False)
        axes.grid(False)
        return _png(figure)


def roc_png(curves: Mapping[str, tuple[Curve, float | None]], title: str) -> bytes:
    """ROC curves by name, each with its area."""
    with _figure(5.0, 4.6) as figure:
        axes = figure.axes[0]
        axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="chance")
        _draw_curves(axes, curves, "AUC", "default")
        axes.set(xlabel="false positive rate", ylabel="true positive rate", title=title)
        axes.legend(loc="lower right")
        return _png(figure)


def pr_png(curves: Mapping[str, tuple[Curve, float | None]], positive_share: float, title: str) -> bytes:
    """Precision-recall curves by name, each with its area; `positive_share` is what guessing reaches."""
    with _figure(5.0, 4.6) as figure:
        axes = figure.axes[0]
        axes.axhline(positive_share, color=GREY, linestyle=":", label=f"chance ({positive_share:.2f})")
        _draw_curves(axes, curves, "area", "steps-pre")
        axes.set(xlabel="recall", ylabel="precision", title=title)
        axes.legend(loc="lower left")
        return _png(figure)


def reliability_png(bins: Sequence[ReliabilityBin], calibration_error: float | None, title: str) -> bytes:
    """What was promised against how often it came true; the whiskers are Wilson's, the numbers are clips."""
    promised, observed = (
        np.array([part.promised for part in bins]),
        np.array([part.observed for part in bins]),
    )
    below = [part.observed - part.low for part in bins]
    above = [part.high - part.observed for part in bins]
    with _figure(5.0, 4.6) as figure:
        axes = figure.axes[0]
        axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="perfect")
        label = "model" if calibration_error is None else f"model, ECE {calibration_error:.3f}"
        axes.errorbar(promised, observed, yerr=[below, above], color=BLUE, marker="o", capsize=3, label=label)
        for part in bins:
            side = 6 if part.observed < 0.5 else -12
            axes.annotate(str(part.n), (part.promised, part.observed), (4, side), **_SMALL)
        axes.set(xlabel="promised probability", ylabel="observed frequency", title=title)
        _unit_square(axes)
        axes.legend(loc="upper left")
        return _png(figure)


def history_png(history: Mapping[str, Sequence[float]], best_epoch: int | None, title: str) -> bytes:
    """Accuracy and loss by epoch on train and validation (the paper's Figure 8).

    Args:
        history: epoch (from 1), accuracy, val_accuracy, loss, val_loss; what is missing is left out.
        best_epoch: whose weights were kept.
    """
    with _figure(9.0, 3.8, columns=2) as figure:
        for axes, metric in zip(figure.axes, ("accuracy", "loss"), strict=True):
            for name, colour, label in ((metric, BLUE, "train"), (f"val_{metric}", ORANGE, "validation")):
                if name in history:
                    axes.plot(history["epoch"], history[name], color=colour, marker=".", label=label)
            if best_epoch is not None:
                axes.axvline(best_epoch, color=GREY, linestyle=":", label="weights kept")
            axes.set(xlabel="epoch", ylabel=metric)
            if axes.lines:
                axes.legend()
        figure.axes[0].set_ylim(0, 1.02)
        figure.axes[1].set_ylim(bottom=0)
        figure.suptitle(title)
        return _png(figure)


def models_png(bars: Sequence[Bar], metric: str, title: str) -> bytes:
    """Models side by side with their intervals, the papers' numbers beside them (the paper's Figure 7)."""
    colours = {"ours": BLUE, "baseline": GREY, "paper": "white"}
    with _figure(7.5, 1.4 + 0.42 * len(bars)) as figure:
        axes = figure.axes[0]
        for place, bar in enumerate(bars):
            is_paper = bar.kind == "paper"
            axes.barh(
                *(place, bar.value),
                color=colours[bar.kind],
                edgecolor=GREY,
                hatch="///" if is_paper else None,
                height=0.66,
            )
            if bar.low is not None and bar.high is not None:
                axes.plot([bar.low, bar.high], [place, place], color="black", marker="|", linewidth=1.2)
            axes.text(1.01, place, f"{bar.value:.3f}", va="center")
        names = [bar.name if bar.kind == "ours" else f"{bar.name} ({bar.kind})" for bar in bars]
        axes.set_yticks(range(len(bars)), names)
        axes.invert_yaxis()
        axes.set(xlim=(0, 1), xlabel=f"{metric}, 95 % interval", title=title)
        axes.grid(axis="y", visible=False)
        return _png(figure)


def _draw_curves(
    axes: "Axes", curves: Mapping[str, tuple[Curve, float | None]], area_name: str, style: str
) -> None:
    for place, (name, (curve, area)) in enumerate(curves.items()):
        label = _readable(name) if area is None else f"{_readable(name)}, {area_name} {area:.3f}"
        colour = COLOURS[place % len(COLOURS)]
        axes.plot(curve.x, curve.y, color=colour, linewidth=2, label=label, drawstyle=style)
    _unit_square(axes)


def _unit_square(axes: "Axes") -> None:
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")


def _readable(name: str) -> str:
    return name.replace("_", " ")


@contextmanager
def _figure(width_in: float, height_in: float, columns: int = 1) -> Iterator["Figure"]:
    """A figure that needs no screen and leaves no global state behind."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#e6e6e6",
        "axes.axisbelow": True,
        "legend.frameon": False,
        "hatch.color": "#c8c8c8",
        "figure.constrained_layout.h_pad": 0.09,
        "figure.constrained_layout.w_pad": 0.09,
    }
    with mpl.rc_context(style):
        figure = Figure(figsize=(width_in, height_in), dpi=DOTS_PER_INCH, layout="constrained")
        FigureCanvasAgg(figure)
        figure.subplots(1, columns)
        yield figure


def _png(figure: "Figure") -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()
