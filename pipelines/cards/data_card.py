"""The data card: what a data set is, as Markdown, from `pipelines.cards.facts`."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from pipelines.cards.markdown import NOT_KNOWN, facts, page, table

SHOWN = 5  # values of a property, of however many


def data_card(told: Mapping[str, Any]) -> str:
    """The card as Markdown.

    Args:
        told: what `data_facts` gives.
    """
    return page(
        f"Data card: {told['name']}",
        {
            "What it is": [_what(told)],
            "Clips and sources": [_clips(told["clips"]), _split(told)],
            "Pictures": [_pictures(told["decoded"])],
            "Left out and doubled": [_left_out(told["ingest"], told["clips"]["aside"], told["aside_later"])],
            "What tells the label": _tells(told["ingest"]),
            "Coverage": [_coverage(told["coverage"])],
            "Licence": [f"{told['licence']}." if told["licence"] else f"{NOT_KNOWN.capitalize()}."],
            "Personal data": [_personal(told["blurred"])],
        },
    )


def _what(told: Mapping[str, Any]) -> str:
    return facts(
        {
            "Data set": told["name"],
            "Read by the adapter": told["adapter"],
            "Classes": told["classes"],
            "Own classes counted as": told["label_map"] or "none: the data set's own names",
        }
    )


def _clips(clips: Mapping[str, Any]) -> str:
    head = ["class", *clips["sides"], "clips", "sources"]
    rows = [
        [
            row["name"],
            *(f"{cell['clips']} of {cell['groups']} sources" for cell in row["cells"]),
            row["clips"],
            row["groups"],
        ]
        for row in clips["rows"]
    ]
    return table(head, [*rows, ["all", *[" "] * len(clips["sides"]), clips["clips"], clips["groups"]]])


def _split(told: Mapping[str, Any]) -> str:
    leak = " Clips of one source lie on several sides, so results are too good for new sources."
    leaks = told["split"] == "random" or told["clips"]["torn"]
    return f"Split by {told['split']}, seed {told['split_seed']}." + (leak if leaks else "")


def _pictures(decoded: Mapping[str, Any] | None) -> str:
    if decoded is None:
        return ""
    low, middle, high = decoded["seconds"] or (None, None, None)
    length = f"{low:.2f} to {high:.2f} s, median {middle:.2f} s" if decoded["seconds"] else None
    return facts(
        {
            "Clips decoded": decoded["clips"],
            "Not decodable": decoded["bad"],
            "Decodable in part": decoded["partial"],
            "Length": length,
            "All together": f"{decoded['total_s'] / 60:.1f} min",
            "Sizes in pixels": _most(decoded["sizes"]),
            "Frames a second": _most(decoded["rates"]),
            "Codecs": _most(decoded["codecs"]),
        }
    )


def _most(counts: Mapping[str, int]) -> str:
    """The most frequent values: "320x240 (12), 640x480 (3), 4 more"."""
    order = sorted(counts, key=lambda value: (-counts[value], value))
    more = [f"{len(order) - SHOWN} more"] if len(order) > SHOWN else []
    return ", ".join([*(f"{value} ({counts[value]})" for value in order[:SHOWN]), *more])


def _left_out(
    report: Mapping[str, Any] | None, aside: list[Any], later: Mapping[str, Mapping[str, str] | None]
) -> str:
    counts = _set_aside("ingest", [label.reason for label in aside])
    for stage, reasons in later.items():
        counts |= _set_aside(stage, None if reasons is None else list(reasons.values()))
    names = {
        "unreadable": "Unreadable files",
        "missing": "Named and not there",
        "left_out": "Left out by the adapter",
        "duplicates": "Equal files",
        "near_duplicates": "Pairs of near-duplicates",
        "conflicts": "Labels that contradict each other",
    }
    return facts(counts | {name: None if report is None else len(report[key]) for key, name in names.items()})


def _set_aside(stage: str, reasons: list[str] | None) -> dict[str, Any]:
    """How many clips a stage set aside, and why, without the names of clips."""
    if not reasons:
        return {f"Clips set aside by {stage}": None if reasons is None else 0}
    because = _most(Counter(reason.partition(" of ")[0].partition(":")[0] for reason in reasons))
    return {f"Clips set aside by {stage}": len(reasons), f"Because, by {stage}": because}


def _tells(report: Mapping[str, Any] | None) -> list[str]:
    if report is None:
        return []
    rows = [
        [name, told["guess"], told["guess_blind"], len(told["counts"])]
        for name, told in report["properties"].items()
    ]
    alone = [
        f"- **{name} tells the label**: all {value['clips']} clips of {value['value']} are {value['label']}"
        for name, told in report["properties"].items()
        for value in told["one_label"]
    ]
    return [
        "The share of clips whose label could be guessed from one property of the file alone.",
        table(["property", "guessed right", "blind", "values"], rows),
        "\n".join([*alone, *(f"- {warning}" for warning in report["warnings"])]),
    ]


def _coverage(coverage: Mapping[str, Any] | None) -> str:
    if coverage is None:
        return ""
    rows = [
        [name, found["coverage"], found["clips"], found["flagged"]]
        for kind in ("classes", "sides")
        for name, found in coverage[kind].items()
    ]
    return table(["of", "share of the 29 numbers measured", "clips", "flagged"], rows)


def _personal(blurred: bool) -> str:
    return (
        "Persons can be recognised in clips of this kind, so they are personal data. Clips are only read "
        f"where they lie. Faces are {'blurred' if blurred else '**not** blurred'} in pictures that leave the "
        "pipeline (`report.blur_faces`). `tailwatch forget` removes what was made of a clip or a source. "
        "Whether the persons agreed is not known to the pipeline."
    )
