"""What ingest tells of a data set: report.json, and the same in the log."""

import logging
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from components.datasets.catalogue import Catalogue
from components.datasets.clips import SIDES, Label
from components.datasets.folds import sides_of_fold
from components.datasets.inspection import Inspection
from components.datasets.listing import Listing
from components.datasets.tells import tells
from pipelines.params import ProtocolParams, SplitParams

log = logging.getLogger("tailwatch")

NAMED = 10  # files named in the log, of however many


def report_of(
    listing: Listing,
    catalogue: Catalogue,
    seen: Mapping[str, Inspection],
    near: list[dict[str, Any]],
    labels: list[Label],
    warnings: Sequence[str],
) -> dict[str, Any]:
    """The report as plain JSON values.

    Args:
        seen: the first look at every clip that no other stands for, by clip_id.
        near: near-duplicates, as they stand in the report.
        warnings: what a person should know beside what the adapter says.
    """
    used = catalogue.used()
    split: dict[str, Counter[str]] = {side: Counter() for side in (*SIDES, "set aside")}
    for label in labels:
        split[label.holdout or "set aside"][label.label] += 1
    return {
        "clips": len(used),
        "sources": len({entry.group for entry in used}),
        "split": split,
        "classes": _classes(catalogue),
        "unreadable": [
            {"clip_id": name, "reason": one.unreadable} for name, one in seen.items() if one.unreadable
        ],
        "duplicates": [{"kept": kept, "left_out": list(copies)} for kept, copies in catalogue.duplicates],
        "near_duplicates": near,
        "conflicts": list(catalogue.conflicts),
        "set_aside": [{"clip_id": label.clip_id, "reason": label.reason} for label in labels if label.reason],
        "left_out": [{"what": what, "why": why} for what, why in listing.left_out],
        "missing": list(listing.missing),
        "warnings": [*listing.warnings, *warnings],
        "properties": tells(
            [seen[entry.clip_id].properties for entry in used], [entry.label for entry in used]
        ),
    }


def _classes(catalogue: Catalogue) -> dict[str, dict[str, int]]:
    """Clips by label, and in it by the data set's own class."""
    found: dict[str, Counter[str]] = {}
    for entry in catalogue.used():
        found.setdefault(entry.label, Counter())[entry.class_name or entry.label] += 1
    return {label: dict(sorted(counts.items())) for label, counts in found.items()}


def bare_sides(labels: Iterable[Label], classes: Sequence[str], split: SplitParams) -> list[str]:
    """A warning for every side of the split that lacks a class: a model cannot be trained or judged there."""
    if split.stratified:  # every seed gives a class the same number of clips on a side
        first = "set other split.fractions"
    else:
        first = "set another split.seed" if split.strategy == "given" else "run `tailwatch split`"
    present = {(label.holdout, label.label) for label in labels}
    return [
        f"no {name} clip is on the {side} side: {first}, or add clips of more sources"
        for side, name in _absent(present, classes)
    ]


def bare_folds(labels: Sequence[Label], classes: Sequence[str], protocol: ProtocolParams) -> list[str]:
    """The same for every fold of every seed."""
    warnings = []
    for split, fold in protocol.fold_splits.items():
        place = protocol.seeds.index(fold.seed)
        parts = {label.clip_id: label.parts[place] for label in labels if label.parts}
        sides = sides_of_fold(parts, fold.number, protocol.folds)
        present = {(sides[label.clip_id], label.label) for label in labels if label.parts}
        warnings += [
            f"no {name} clip is on the {side} side of {split}: set other protocol.seeds or fewer "
            "protocol.folds, or add clips of more sources"
            for side, name in _absent(present, classes)
        ]
    return warnings


def _absent(present: Container[tuple[str, str]], classes: Sequence[str]) -> list[tuple[str, str]]:
    return [(side, name) for side in SIDES for name in classes if (side, name) not in present]


def tell(report: Mapping[str, Any]) -> None:
    """Log what a person should know of the report."""
    log.info(
        "%d clips of %d sources; %d unreadable, %d equal files, %d near-duplicates, %d set aside",
        report["clips"],
        report["sources"],
        len(report["unreadable"]),
        len(report["duplicates"]),
        len(report["near_duplicates"]),
        len(report["set_aside"]),
    )
    for one in report["set_aside"]:
        log.warning("%s set aside: %s", ascii(one["clip_id"])[1:-1], one["reason"])
    for one in report["left_out"][:NAMED]:
        log.warning("%s left out: %s", ascii(one["what"])[1:-1], one["why"])
    if len(report["left_out"]) > NAMED:
        log.warning("%d more left out: see report.json", len(report["left_out"]) - NAMED)
    for warning in report["warnings"]:
        log.warning("%s", warning)
    for name, told in report["properties"].items():
        for value in told["one_label"]:
            log.warning(
                "%s tells the label: all %d clips of %s are %s",
                name,
                value["clips"],
                value["value"],
                value["label"],
            )
