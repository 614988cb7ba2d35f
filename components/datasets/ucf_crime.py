"""Adapter `ucf_crime`: UCF-Crime's original videos, wherever its many zips and mirrors put them.

Videos are known by their names, which are unique, because folders are not: the lists name a folder that no
zip holds, mirrors nest folders twice, and 50 normal videos lie in two folders. So a video whose name says
another class than its folder, both asked for, is of the class of its name.

Source: Sultani, Chen, Shah, "Real-world Anomaly Detection in Surveillance Videos", CVPR 2018; the ReadMe, the
lists and Temporal_Anomaly_Annotation_for_Testing_Videos.txt that come with the videos.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Literal, NamedTuple

from components.core.errors import BadDataError
from components.datasets.adapter import Adapter
from components.datasets.listing import Entry, Listing, of_classes
from components.datasets.names import LeftOut, Names, about_misfiled, lines_of, names_of, some, unread
from components.datasets.official import OfficialSplit, with_sides
from components.datasets.source import Source

_NAME = re.compile(r"(?P<video>(?P<name>.+?)_?\d+)_x264A?")
_ANNOTATION = "Temporal_Anomaly_Annotation"
_NONE = -1
Frames = tuple[tuple[int, int], ...]


class Annotation(NamedTuple):
    """What the tables of events say of a video: its class, and the first and last frame of each event."""

    label: str
    frames: Frames


@dataclass(frozen=True)
class UcfCrimeOptions:
    """What may be chosen of UCF-Crime.

    Attributes:
        official_split: whose lists give train and test; those of detection name all 1900 videos, those of
            recognition 50 of each class, four times over.
        fold: which of the four.
    """

    official_split: Literal["anomaly_detection", "action_recognition"] | None = None
    fold: Literal[1, 2, 3, 4] = 1


def list_ucf_crime(source: Source, wanted: tuple[str, ...], options: UcfCrimeOptions) -> Listing:
    """List the videos of the classes that are asked for, each once, with the events that are annotated.

    A class is a folder's name (`Abuse`), or how the names of videos begin (`Normal_Videos`), because the
    normal ones lie in folders that differ from copy to copy.

    Raises:
        BadDataError: lists that are asked for and are not there, or an annotation that cannot be read.
    """
    names = names_of(source)
    found, copies = _once(source, names.videos, wanted)
    entries, others = of_classes(found, wanted)
    tables = _tables(names)
    events = annotated_events(line for table in tables for line in lines_of(source, table))
    entries = tuple(_with_events(entry, events) for entry in entries)
    rest = unread(names.no_videos, tables)
    misfiled = (uri for uri in names.videos if _is_misfiled(uri, wanted))
    warnings = (*about_misfiled(misfiled), *_about_classes(entries, events, wanted))
    listing = Listing(entries, (*others, *copies, *rest, *names.flawed), warnings)
    if options.official_split is None:
        return listing
    return with_sides(listing, names, _official(source, names, options), _key)


def annotated_events(lines: Iterable[str]) -> dict[str, Annotation]:
    r"""Frames of the events, first and last, counted from 1, by the video; those of all its lines together.

    Args:
        lines: `video class start end start end`, -1 where there is no event.

    Raises:
        BadDataError: a line of another form, or two lines of one video that differ in its class.

    Example:
        >>> annotated_events(["Abuse028_x264.mp4  Abuse  165  240  -1  -1\t"])
        {'abuse028': Annotation(label='Abuse', frames=((165, 240),))}
    """
    events: dict[str, Annotation] = {}
    for line in lines:
        video, label, found = _event(line)
        known = events.setdefault(video, Annotation(label, ()))
        if known.label != label:
            raise BadDataError(
                f"{_ANNOTATION}: {line!a}, and another line of this video says {known.label}",
                wanted="one class for a video",
                remedy="correct the lines, or take the file out of the data set",
            )
        events[video] = Annotation(label, tuple(dict.fromkeys((*known.frames, *found))))
    return events


def _event(line: str) -> tuple[str, str, Frames]:
    """The video, its class and its events."""
    try:
        video, name, *numbers = line.split()
        a, b, c, d = map(int, numbers)
    except ValueError:
        video, name, a, b, c, d = "", "", 0, 0, 0, 0
    events = tuple(event for event in ((a, b), (c, d)) if event != (_NONE, _NONE))
    if not all(1 <= first <= last for first, last in events):
        raise BadDataError(
            f"{_ANNOTATION}: {line!a}",
            wanted="video, class, and two events as first and last frame from 1 on, -1 for none",
            remedy="correct the line, or take the file out of the data set",
        )
    return _key(video), name, events


def _with_events(entry: Entry, events: Mapping[str, Annotation]) -> Entry:
    found = events.get(_key(entry.uri))
    return entry if found is None else replace(entry, intervals_frames=found.frames)


def _about_classes(
    entries: Iterable[Entry], events: Mapping[str, Annotation], wanted: tuple[str, ...]
) -> tuple[str, ...]:
    """A warning where the annotation says another class than the clip's: Normal stands for Normal_Videos.

    A folder that is no class of the annotation's, as one of all anomalies, contradicts none of its words.
    """
    words = {found.label for found in events.values()}
    odd = [
        f"{entry.uri}: {entry.label}, {found.label}"
        for entry in entries
        if (found := events.get(_key(entry.uri)))
        and _differ(found.label, entry.label)
        and (found.label in wanted or entry.label in words)
    ]
    return (f"{_ANNOTATION} says another class than {len(odd)} clips have: {some(odd)}",) if odd else ()


def _tables(names: Names) -> list[str]:
    """The tables of events, of which a data set that was put together may hold several."""
    return [uri for uri in names.uris if PurePosixPath(uri).match(f"{_ANNOTATION}*.txt")]


def _once(source: Source, videos: Iterable[str], wanted: tuple[str, ...]) -> tuple[list[Entry], LeftOut]:
    """Every video once, and its copies in other folders.

    Of several, one in a class's folder says the class, and it is taken unless it is empty and another is not.
    Where they say several classes it stands under each of them, which is a conflict of labels.
    """
    copies_of: defaultdict[str, list[str]] = defaultdict(list)
    for uri in sorted(videos, key=lambda uri: (_rank(uri, wanted), uri)):
        copies_of[_key(uri)].append(uri)
    entries, others = [], []
    for first, *more in copies_of.values():
        kept = next(filter(source.size, (first, *more)), first) if more else first
        said = [label for label in (_class_of(uri, wanted) for uri in more) if label in wanted]
        labels = dict.fromkeys((_class_of(first, wanted), *said))
        entries += [Entry(kept, label, source=video_of(kept)) for label in labels]
        rest = (uri for uri in (first, *more) if uri != kept)
        others += [(uri, f"another copy of {kept}, by its name") for uri in rest]
    return entries, tuple(others)


def _rank(uri: str, wanted: tuple[str, ...]) -> tuple[bool, bool]:
    """Copies of no class last, and before them those in the folder of another class."""
    return _class_of(uri, wanted) not in wanted, _is_misfiled(uri, wanted)


def _class_of(uri: str, wanted: tuple[str, ...]) -> str:
    folder, name = PurePosixPath(uri).parent.name, _named(uri)
    return name if name in wanted and (folder not in wanted or _differ(name, folder)) else folder


def _is_misfiled(uri: str, wanted: tuple[str, ...]) -> bool:
    """Whether a video lies in the folder of another class than its name says, both asked for."""
    folder = PurePosixPath(uri).parent.name
    return folder in wanted and _class_of(uri, wanted) != folder


def _named(uri: str) -> str:
    """The class that a video's name says; empty: none."""
    named = _NAME.fullmatch(PurePosixPath(uri).stem)
    return named["name"] if named else ""


def _differ(name: str, folder: str) -> bool:
    """Whether a folder is of another class: Testing_Normal_Videos_Anomaly is one of Normal_Videos."""
    return name.lower() not in folder.lower()


def _official(source: Source, names: Names, options: UcfCrimeOptions) -> OfficialSplit:
    fold = f"{options.fold:03}.txt"
    of_folds = {"train": f"train_{fold}", "test": f"test_{fold}"}
    of_detection = {"train": "Anomaly_Train.txt", "test": "Anomaly_Test.txt"}
    lists = of_detection if options.official_split == "anomaly_detection" else of_folds
    uris = {side: names.needed(name) for side, name in lists.items()}
    named = {side: tuple(lines_of(source, uri)) for side, uri in uris.items()}
    return OfficialSplit(" and ".join(lists.values()), tuple(uris.values()), named)


def video_of(uri: str) -> str:
    """The source of a file: its name without what the encoder left in it."""
    stem = PurePosixPath(uri).stem
    named = _NAME.fullmatch(stem)
    return named["video"] if named else stem


def _key(name: str) -> str:
    """What is equal for one video: `Normal_Videos_003` is another than `Normal_Videos003`."""
    return video_of(name).lower()


ADAPTER = Adapter(
    "UCF-Crime's videos <Class><NNN>_x264.mp4, at any depth; Anomaly_Train.txt and Anomaly_Test.txt, or "
    "train_001..004.txt and test_001..004.txt; Temporal_Anomaly_Annotation*.txt",
    list_ucf_crime,
    UcfCrimeOptions,
)
