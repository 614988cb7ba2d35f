"""docs/performance.md from the figures of a run."""

from collections.abc import Mapping, Sequence
from typing import Any

HEAD = """# Performance

Made by `make bench`; figures as JSON in `reports/bench.json`. Machines are noisy: what counts are
ratios within one run.
"""


def page(figures: Mapping[str, Any]) -> str:
    """The page, with the sections that were measured."""
    parts = [HEAD]
    if "machine" in figures:
        parts.append(f"Machine: {figures['machine']['processor']}, Python {figures['machine']['python']}.\n")
    for name, draw in _SECTIONS.items():
        if name in figures:
            parts.append(draw(figures[name]))
    return "\n".join(parts)


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table; numbers with three digits that count."""
    lines = [head, ["---"] * len(head), *([cell(value) for value in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return str(value)


def _stages(found: Mapping[str, Any]) -> str:
    rows = [
        [
            row[name]
            for name in (
                "stage",
                "clips_per_s_one_core",
                "clips_per_s",
                "speed_up",
                "share_of_limit",
                "peak_mib",
            )
        ]
        for row in found["rows"]
    ]
    return f"""## Stages

{found["clips"]} clips of surveillance-fights, whole commands with their start. The limit is, on one core: for
extract OpenCV's bare `grab()` over the same files, for segment and featurize the time inside the networks,
for reshape reading the frames and writing the tensor once. Memory is that of the process tree at its peak.

""" + table(
        [
            "stage",
            "clips/s, one core",
            f"clips/s, {found['cores']} cores",
            "speed-up",
            "share of limit",
            "peak MiB",
        ],
        rows,
    )


def _recipe(found: Mapping[str, Any]) -> str:
    rows = [[row["what"], row["clips_per_s"], row["times_the_recipe"]] for row in found["rows"]]
    return (
        f"""## Beside the recipe of paper 000

tests/benchmarks/recipe.py: every frame read with OpenCV, unmodified PixelLib at its default speed with random
weights on five frames, dlib with one upsampling on full frames, one process. {found["clips"]} clips, extract
to featurize; imports and the first calls are left out on both sides: of the recipe the seconds of two clips,
of ours the time that two clips take.

"""
        + table(["", "clips/s", "times the recipe"], rows)
        + f"""
With the recipe's backends the masks are the recipe's: persons cover {found["mean_person_share"]:.2%} of the
pixels, and no clip's share differs by more than {found["largest_difference_of_person_share"]:.1e}.
"""
    )


def _memory(found: Mapping[str, Any]) -> str:
    rows = [[row["stage"], row["few_mib"], row["many_mib"], row["ratio"]] for row in found["rows"]]
    return "## Memory\n\nPeak MiB of the process tree.\n\n" + table(
        ["stage", f"{found['few']} clips", f"{found['many']} clips", "ratio"], rows
    )


def _training(found: Mapping[str, Any]) -> str:
    rows = [[row[name] for name in ("clips", "epoch_s", "ms_per_clip", "peak_mib")] for row in found["rows"]]
    return f"""## Training

fusion on noise, three fifths of the clips on the train side: an epoch with its validation, and the whole
command's memory, {found["memory_ratio"]:.2f} times from the fewest clips to the most.

""" + table(["clips", "seconds an epoch", "ms per clip", "peak MiB"], rows)


def _fusion(found: Mapping[str, Any]) -> str:
    return f"""## A training step of fusion

Batch of eight clips of five 128-pixel frames, in our loop {found["ours_ms"]:.0f} ms from memory-mapped
files; under Keras' `fit` on arrays {found["keras_ms"]:.0f} ms; ratio {found["ratio"]:.2f}.
"""


def _convgru(found: Mapping[str, Any]) -> str:
    columns = ("size", "layer", "parameters", "forward_ms", "forward_ratio", "train_ms", "train_ratio")
    return """## ConvGRU2D

A batch of eight clips of twenty steps, kernels 3 x 3: processor time of one thread. The naive cell has the
same weights and equations under `keras.layers.RNN` and convolves its input at each step.

""" + table(
        ["size", "layer", "parameters", "forward ms", "times ours", "training step ms", "times ours"],
        [[row[name] for name in columns] for row in found["rows"]],
    )


def _second_head(found: Mapping[str, Any]) -> str:
    return f"""## A second head

MobileNetV2, frozen, below LSTMs: {found["clips"]} clips, {found["frames"]} frames, {found["epochs"]} epochs.
Seconds of processor time of the first training, with its backbone's pass, and of others on the features
that it kept; one thread, imports left out.

""" + table(
        ["side of frames", "head", "first s", "second s", "share of first"],
        [[row[name] for name in ("side", "head", "first_s", "second_s", "share")] for row in found["rows"]],
    )


def _incremental(found: Mapping[str, Any]) -> str:
    seconds = found["seconds"]
    return f"""## One clip more

`dvc repro reshape` on {found["clips"]} clips: {seconds["all"]:.0f} s; with one clip added:
{seconds["one more"]:.1f} s, which is {found["share_of_all"]:.1%}; with nothing changed:
{seconds["none"]:.1f} s.
"""


def _retraining(found: Mapping[str, Any]) -> str:
    seconds = found["seconds"]
    return f"""## Retraining by run-stage

Of {found["clips"]} clips from cold, extract, segment and featurize took {seconds["1"]:.0f} s on one worker of
one core, {seconds["2"]:.0f} s on two: {found["share"]:.2f}. Seconds on ten tiny clips, all places folders:

""" + table(
        ["stage", "bare", "by run-stage", "by run-stage, unchanged"],
        [[row[name] for name in ("stage", "bare", "task", "unchanged")] for row in found["rows"]],
    )


_SECTIONS = {
    "stages": _stages,
    "recipe": _recipe,
    "memory": _memory,
    "training": _training,
    "fusion": _fusion,
    "convgru": _convgru,
    "second_head": _second_head,
    "incremental": _incremental,
    "retraining": _retraining,
}
