"""ingest: what the data set holds, which clips can be used, and on which side of the split each is.

Reads the data set where it lies and changes nothing there. Writes outs/ingest/: clips.csv (the usable clips),
labels.csv (every clip, also those set aside, with the reason) and report.json.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path

from components.core.files import write_json
from components.core.settings import to_dict
from components.datasets.annotations import Intervals, intervals_s
from components.datasets.catalogue import Catalogue, build_catalogue, check_classes
from components.datasets.clips import Label
from components.datasets.digests import DigestCache
from components.datasets.folds import assign_parts, joined_groups
from components.datasets.inspection import Inspection, inspect_all
from components.datasets.listing import Entry, Listing
from components.datasets.near_duplicates import near_duplicates
from components.datasets.splits import (
    split_as_given,
    split_at_random,
    split_by_group,
    split_stratified,
    torn_groups,
    twins_on_lower_sides,
    val_from_train,
)
from components.video.sequence import content_size
from pipelines.artifacts import Project, write_clips, write_labels
from pipelines.ingest_report import bare_folds, bare_sides, report_of, tell
from pipelines.listing import list_data_set
from pipelines.over_clips import check_bad_fraction
from pipelines.params import Params, SplitParams

SHOWN = 5  # sources named in a warning
Pair = tuple[str, str, float]  # two clips, and how well their motion agrees


def run(project: Project) -> None:
    """List, check and split the data set's clips.

    Raises:
        BadDataError: labels that contradict each other, a class without clips, or too many unreadable clips.
        UsageError: a root or an adapter that is not there.
        StorageError: a remote data set that does not answer.
    """
    params, classes = project.params, project.params.dataset.classes
    source, listing = list_data_set(project)
    check_classes(listing.entries, classes)
    digests = DigestCache(project.state("digests.json"))
    files = {uri: source.local(uri) for uri in dict.fromkeys(entry.uri for entry in listing.entries)}
    sha256_of = {uri: digests.sha256(path) for uri, path in files.items()}
    digests.save()

    catalogue, seen = _look(project, listing, files, sha256_of)
    used = catalogue.used()
    pairs = list(_near(used, sha256_of, seen, params.ingest.near_duplicate_agreement))
    sides = split_clips(used, params.split)
    twins = {} if params.split.strategy == "random" else _twins(pairs, sides)
    intervals, rateless = _intervals(used, seen)

    origin = params.dataset.adapter
    clips = [entry.clip(sha256_of[entry.uri], content_size(files[entry.uri]), origin) for entry in used]
    write_clips(project.out("ingest", "clips.csv"), clips)
    bound = [*_equal(catalogue), *((one, other) for one, other, _ in pairs)]
    parts = divide_clips(list(catalogue.entries.values()), bound, {*catalogue.aside, *twins}, params)
    labels = [
        replace(_label(entry, catalogue, sides, twins, intervals), parts=parts.get(entry.clip_id, ()))
        for entry in catalogue.entries.values()
    ]
    write_labels(project.out("ingest", "labels.csv"), labels)
    bare = [
        *bare_sides(labels, classes, params.split),
        *bare_folds(labels, classes, params.protocol),
    ]
    warnings = [*rateless, *_about_split(used, sides, params.split), *bare]
    near = [{"clips": [first, second], "agreement": agreement} for first, second, agreement in pairs]
    report = report_of(listing, catalogue, seen, near, labels, warnings)
    report["protocol"] = to_dict(params.protocol)
    write_json(project.out("ingest", "report.json"), report)
    tell(report)


def _look(
    project: Project, listing: Listing, files: Mapping[str, Path], sha256_of: Mapping[str, str]
) -> tuple[Catalogue, dict[str, Inspection]]:
    """Which clips can be used, and the first look at each that no other stands for, by clip_id."""
    classes, settings = project.params.dataset.classes, project.params.ingest
    catalogue = build_catalogue(
        listing.entries, sha256_of, classes, drop_conflicts=settings.conflicts == "drop"
    )
    looked = inspect_all(
        project.store, {sha256_of[entry.uri]: files[entry.uri] for entry in catalogue.used()}
    )
    seen = {entry.clip_id: looked[sha256_of[entry.uri]] for entry in catalogue.used()}
    unreadable = {clip_id: one.unreadable for clip_id, one in seen.items() if one.unreadable}
    check_bad_fraction(project, len(unreadable), len(catalogue.entries), "read")
    catalogue = catalogue.without(unreadable)
    check_classes(catalogue.used(), classes)
    return catalogue, seen


def split_clips(entries: list[Entry], split: SplitParams) -> dict[str, str]:
    """The side of each clip, by clip_id."""
    fractions = (split.fractions.train, split.fractions.val, split.fractions.test)
    groups = {entry.clip_id: entry.group for entry in entries}
    if split.strategy == "given":
        given = split_as_given({entry.clip_id: entry.split for entry in entries})
        return val_from_train(given, groups, split.seed, split.fractions.val)
    if split.stratified:
        return split_stratified(split.seed, {entry.clip_id: entry.label for entry in entries}, fractions)
    if split.strategy == "random":
        return split_at_random(split.seed, groups, fractions)
    return split_by_group(split.seed, groups, fractions)


def divide_clips(
    entries: list[Entry], pairs: Iterable[tuple[str, str]], aside: Collection[str], params: Params
) -> dict[str, tuple[int, ...]]:
    """The part of each clip under each of the protocol's seeds, by clip_id; empty without folds.

    Args:
        pairs: clips that show the same, whose groups no fold divides.
        aside: clips that get no part; what they bind together stays together.
    """
    protocol = params.protocol
    if protocol.kind != "kfold":
        return {}
    groups = {entry.clip_id: entry.group for entry in entries}
    joined = joined_groups(groups, pairs)
    whole = {clip_id: group for clip_id, group in joined.items() if clip_id not in aside}
    labels = {entry.clip_id: entry.label for entry in entries}
    parts = [assign_parts(whole, labels, protocol.folds, seed, protocol.strategy) for seed in protocol.seeds]
    return {clip_id: tuple(of_seed[clip_id] for of_seed in parts) for clip_id in whole}


def _about_split(entries: list[Entry], sides: Mapping[str, str], split: SplitParams) -> Iterator[str]:
    """Warnings where the data set's own split gives no val side, or tears a source apart."""
    if split.strategy != "given":
        return
    given = {entry.clip_id: entry.split for entry in entries}
    taken = sum(sides[clip_id] != side for clip_id, side in given.items())
    if taken:
        train = sum(side == "train" for side in given.values())
        yield (
            f"the data set's own split has no val side: {taken} of its {train} train clips are val, by "
            f"source group (split.fractions.val: {split.fractions.val:g})"
        )
    torn = torn_groups(given, {entry.clip_id: entry.group for entry in entries})
    if torn:
        shown = ", ".join(ascii(group)[1:-1] for group in torn[:SHOWN])
        yield f"the data set's own split tears {len(torn)} sources apart, among them {shown}"


def _equal(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Clips of equal bytes: the one that is kept, with each of the others."""
    for kept, copies in catalogue.duplicates:
        for copy in copies:
            yield kept, copy


def _near(
    used: list[Entry], sha256_of: Mapping[str, str], seen: Mapping[str, Inspection], agreement: float
) -> Iterator[Pair]:
    """Near-duplicates: of one video, or of two that show the same, the clips that share a span."""
    clips: dict[str, list[Entry]] = defaultdict(list)
    for entry in used:
        clips[sha256_of[entry.uri]].append(entry)
    videos = list(clips.values())
    for same in videos:
        for one, other in combinations(same, 2):
            if _overlap(one, other):
                yield one.clip_id, other.clip_id, 1.0
    for pair in near_duplicates([seen[same[0].clip_id].pictures for same in videos], agreement):
        for one, other in product(videos[pair.first], videos[pair.second]):
            if _overlap(one, other):
                yield one.clip_id, other.clip_id, pair.agreement


def _overlap(one: Entry, other: Entry) -> bool:
    starts = one.start_s or 0.0, other.start_s or 0.0
    ends = [entry.end_s for entry in (one, other) if entry.end_s is not None]
    return not ends or max(starts) < min(ends)


def _twins(pairs: list[Pair], sides: Mapping[str, str]) -> dict[str, str]:
    twins = twins_on_lower_sides(sides, ((first, second) for first, second, _ in pairs))
    return {
        clip_id: f"near-duplicate of {twin}, which is in {sides[twin]}" for clip_id, twin in twins.items()
    }


def _intervals(used: list[Entry], seen: Mapping[str, Inspection]) -> tuple[dict[str, Intervals], list[str]]:
    """Where clips show their label, by clip_id, and a warning for each whose frames have no known rate."""
    found = {entry.clip_id: intervals_s(entry, seen[entry.clip_id].rate) for entry in used}
    rateless = [clip_id for clip_id, intervals in found.items() if intervals is None]
    told = [
        f"{clip_id}: its intervals are not used, because its frame rate is not known" for clip_id in rateless
    ]
    return {clip_id: intervals or () for clip_id, intervals in found.items()}, told


def _label(
    entry: Entry,
    catalogue: Catalogue,
    sides: Mapping[str, str],
    twins: Mapping[str, str],
    intervals: Mapping[str, Intervals],
) -> Label:
    clip_id = entry.clip_id
    reason = catalogue.aside.get(clip_id) or twins.get(clip_id, "")
    side = "" if reason else sides[clip_id]
    return Label(clip_id, entry.label, intervals.get(clip_id, ()), entry.group, side, reason)
