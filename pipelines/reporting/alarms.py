"""What the report says of alarms: the rule that validation chose, and what it gave on test."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.core.files import read_json
from components.core.tables import read_csv
from components.serving.charts import Axis, Series, line_chart
from pipelines.artifacts import Project

# Name of each rule, and the colours of its marks on val and test.
KINDS = {"tuned": ("chosen", (1, 2)), "own": ("own", (3, 4))}
Points = Sequence[tuple[float, float]]


def alarms_section(project: Project, comparison: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One entry per model that has a rule, in the order of the comparison.

    With more than two classes, only a rule that the model brings.
    """
    found = []
    for model in comparison["models"]:
        folder = project.out("evaluate", model["model"])
        rule = read_json(folder / "evaluation.json").get("rule")
        if rule is not None:
            rows = read_csv(folder / "rules.csv", ("alarms_per_hour", "recall"))
            points = [(float(row["alarms_per_hour"]), float(row["recall"])) for row in rows]
            found.append(_entry(model["model"], rule, points))
    return found


def in_words(rule: Mapping[str, Any], frames: int) -> str:
    """A rule as a sentence would have it.

    Args:
        frames: that the rule counts over; 1 where the model says one thing of the whole clip.
    """
    exceeded = rule.get("comparison") == "gt"
    reached = f"above {rule['threshold']:.4g}" if exceeded else f"at {rule['threshold']:.4g} or more"
    if frames == 1 and rule["count"] == 1 and not exceeded:
        return f"clip {reached}"
    counted = f"{'more than ' if exceeded else ''}{rule['count']} of {frames} frames"
    return f"{counted}{' in a row' if rule['mode'] == 'consecutive' else ''} {reached}"


def alarms_chart(model: str, rule: Mapping[str, Any], points: Points) -> str:
    """Recall against false alarms per hour: the frontier on validation, each rule on both sides."""
    places = [
        (f"{name} rule on {side}", colour, rule[kind][side])
        for kind, (name, colours) in KINDS.items()
        if rule[kind]
        for side, colour in zip(("val", "test"), colours, strict=True)
    ]
    marks = [mark for name, colour, told in places if (mark := _mark(name, colour, told))]
    if not points and not marks:
        return ""
    notes = [f"recall {recall:.3f} at {rate:.3g} an hour" for rate, recall in points]
    most = max(x for series in (points, *(mark.points for mark in marks)) for x, _ in series)
    return line_chart(
        [Series("frontier on validation", points, colour=0, dots=True, notes=notes), *marks],
        Axis("false alarms per hour", 0, 1.05 * most or 1.0),
        Axis("recall", 0, 1.05),
        summary=f"Recall of {model} against false alarms per hour: "
        + "; ".join(note for mark in marks for note in mark.notes),
    )


def _entry(model: str, rule: Mapping[str, Any], points: Points) -> dict[str, Any]:
    return {
        "model": model,
        "limit": rule["limit"],
        "negative": rule["negative"],
        "is_tuned": rule["tuned"] is not None,
        "rules": [
            rule[kind]
            | {"name": name, "colours": colours, "words": in_words(rule[kind], rule["frames"])}
            | {"alarms": [one for one in rule[kind].get("alarms", ()) if one["split"] == "test"]}
            for kind, (name, colours) in KINDS.items()
            if rule[kind]
        ],
        "chart": alarms_chart(model, rule, points),
    }


def _mark(name: str, colour: int, told: Mapping[str, Any]) -> Series | None:
    """A dot with the bounds of its recall; None where a side has no clips of one kind."""
    rate, recall = told["alarms_per_hour"]["value"], told["recall"]
    if rate is None or recall["value"] is None:
        return None
    bounds = [] if recall["low"] is None else [(recall["low"], recall["high"])]
    note = f"{name}: recall {recall['value']:.3f} at {rate:.3g} an hour"
    return Series(name, [(rate, recall["value"])], colour=colour, bounds=bounds, dots=True, notes=[note])
