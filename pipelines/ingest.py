"""ingest: what the data set holds, which clips can be used, and on which side of the split each is.

Reads the data set where it lies and changes nothing there. Writes outs/ingest/: clips.csv (the usable clips),
labels.csv (every clip, also those set aside, with the reason) and report.json.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from components.core.files import write_json
from components.datasets.catalogue import Catalogue, build_catalogue, check_classes
from components.datasets.clips import Clip, Label
from components.datasets.digests import DigestCache
from components.datasets.inspection import Inspection, inspect_all
from components.datasets.listing import Entry, Listing
from components.datasets.near_duplicates import NearDuplicates, near_duplicates
from components.datasets.registry import ADAPTERS
from components.datasets.source import open_root
from components.datasets.splits import split_as_given, split_at_random, split_by_group, twins_on_lower_sides
from components.datasets.tells import tells
from pipelines.artifacts import Project, write_clips, write_labels
from pipelines.over_clips import check_bad_fraction
from pipelines.params import SplitParams

log = logging.getLogger("tailwatch")

NAMED = 10  # files named in the log, of however many


def run(project: Project) -> None:
    """List, check and split the data set's clips.

    Raises:
        BadDataError: labels that contradict each other, a class without clips, or too many unreadable clips.
        UsageError: a root or an adapter that is not there.
        StorageError: a remote data set that does not answer.
    """
    params = project.params
    source = open_root(project.dataset_root, project.state("clips"))
    listing = ADAPTERS.get(params.dataset.adapter)(source, params.dataset.classes)
    check_classes(listing.entries, params.dataset.classes)
    digests = DigestCache(project.state("digests.json"))
    files = {entry.uri: source.local(entry.uri) for entry in listing.entries}
    sha256_of = {uri: digests.sha256(path) for uri, path in files.items()}
    digests.save()

    catalogue = build_catalogue(
        listing.entries, sha256_of, params.dataset.classes, drop_conflicts=params.ingest.conflicts == "drop"
    )
    looked = inspect_all(
        project.store, {sha256_of[entry.uri]: files[entry.uri] for entry in catalogue.used()}
    )
    seen = {entry.uri: looked[sha256_of[entry.uri]] for entry in catalogue.used()}
    unreadable = {uri: one.unreadable for uri, one in seen.items() if one.unreadable}
    check_bad_fraction(project, len(unreadable), len(catalogue.entries), "read")
    catalogue = catalogue.without(unreadable)
    check_classes(catalogue.used(), params.dataset.classes)

    used = catalogue.used()
    pairs = near_duplicates(
        [seen[entry.uri].pictures for entry in used], params.ingest.near_duplicate_agreement
    )
    sides = split_clips(used, params.split)
    twins = {} if params.split.strategy == "random" else _twins(used, pairs, sides)

    clips = [
        _clip(entry, sha256_of, files[entry.uri].stat().st_size, params.dataset.adapter) for entry in used
    ]
    write_clips(project.out("ingest", "clips.csv"), clips)
    labels = [_label(entry, catalogue, sides, twins) for entry in catalogue.entries.values()]
    write_labels(project.out("ingest", "labels.csv"), labels)
    report = _report(listing, catalogue, seen, unreadable, pairs, labels, params.dataset.classes)
    write_json(project.out("ingest", "report.json"), report)
    _log(report)


def split_clips(entries: list[Entry], split: SplitParams) -> dict[str, str]:
    """The side of each clip, by uri."""
    fractions = (split.fractions.train, split.fractions.val, split.fractions.test)
    if split.strategy == "given":
        return split_as_given({entry.uri: entry.split for entry in entries})
    if split.strategy == "random":
        return split_at_random(split.seed, [entry.uri for entry in entries], fractions)
    return split_by_group(split.seed, {entry.uri: source_group(entry) for entry in entries}, fractions)


def source_group(entry: Entry) -> str:
    """What no split divides: the clip itself, when the data set does not say what it was cut from."""
    return entry.source or entry.uri


def _twins(used: list[Entry], pairs: list[NearDuplicates], sides: Mapping[str, str]) -> dict[str, str]:
    named = ((used[pair.first].uri, used[pair.second].uri) for pair in pairs)
    twins = twins_on_lower_sides(sides, named)
    return {uri: f"near-duplicate of {twin}, which is in {sides[twin]}" for uri, twin in twins.items()}


def _clip(entry: Entry, sha256_of: Mapping[str, str], size: int, adapter: str) -> Clip:
    return Clip(entry.uri, entry.uri, None, None, sha256_of[entry.uri], size, adapter)


def _label(entry: Entry, catalogue: Catalogue, sides: Mapping[str, str], twins: Mapping[str, str]) -> Label:
    reason = catalogue.aside.get(entry.uri) or twins.get(entry.uri, "")
    side = "" if reason else sides[entry.uri]
    return Label(entry.uri, entry.label, (), source_group(entry), side, reason)


def _report(
    listing: Listing,
    catalogue: Catalogue,
    seen: Mapping[str, Inspection],
    unreadable: Mapping[str, str],
    pairs: list[NearDuplicates],
    labels: list[Label],
    classes: Sequence[str],
) -> dict[str, Any]:
    used = catalogue.used()
    split: dict[str, Counter[str]] = {side: Counter() for side in ("train", "val", "test", "set aside")}
    for label in labels:
        split[label.holdout or "set aside"][label.label] += 1
    return {
        "clips": len(used),
        "sources": len({source_group(entry) for entry in used}),
        "split": split,
        "unreadable": [{"clip_id": uri, "reason": reason} for uri, reason in unreadable.items()],
        "duplicates": [{"kept": kept, "left_out": list(copies)} for kept, copies in catalogue.duplicates],
        "near_duplicates": [
            {"clips": [used[one.first].uri, used[one.second].uri], "agreement": one.agreement}
            for one in pairs
        ],
        "conflicts": list(catalogue.conflicts),
        "set_aside": [{"clip_id": label.clip_id, "reason": label.reason} for label in labels if label.reason],
        "left_out": [{"what": what, "why": why} for what, why in listing.left_out],
        "warnings": [*listing.warnings, *bare_sides(labels, classes)],
        "properties": tells([seen[entry.uri].properties for entry in used], [entry.label for entry in used]),
    }


def bare_sides(labels: Iterable[Label], classes: Sequence[str]) -> list[str]:
    """A warning for every side of the split that lacks a class: a model cannot be trained or judged there."""
    present = {(label.holdout, label.label) for label in labels}
    return [
        f"no {name} clip is on the {side} side: run `tailwatch split`, or add clips of more sources"
        for side in ("train", "val", "test")
        for name in classes
        if (side, name) not in present
    ]


def _log(report: Mapping[str, Any]) -> None:
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
