"""What an adapter finds in a data set, before any clip is opened."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from components.datasets.clips import Clip


@dataclass(frozen=True)
class Entry:
    """One clip under one label, as the data set says.

    Attributes:
        uri: of the video, from the data set's root.
        source: what it was cut from; empty when the data set does not say.
        split: train, val or test; empty when the data set does not say.
        start_s, end_s: the span of the video, half-open, in seconds; None: from its start, to its end.
        intervals: where the label is shown, [start, end) in seconds of the video; empty: throughout.
        intervals_frames: the same as the video's frames, counted from 1, the last included.
        class_name: the data set's own word where `label` is another.
        rate: frames a second of a clip that lies as pictures, exact: "30000/1001"; empty: a video says it.
    """

    uri: str
    label: str
    source: str = ""
    split: str = ""
    start_s: float | None = None
    end_s: float | None = None
    intervals: tuple[tuple[float, float], ...] = ()
    intervals_frames: tuple[tuple[int, int], ...] = ()
    class_name: str = ""
    rate: str = ""

    @property
    def group(self) -> str:
        """What no split divides: the video itself, when the data set does not say what it was cut from."""
        return self.source or self.uri

    @property
    def clip_id(self) -> str:
        """The clip's name in every table: the uri, and the span where it is not all of the video.

        Example:
            >>> Entry("a.mp4", "calm", start_s=1.5).clip_id, Entry("a.mp4", "calm").clip_id
            ('a.mp4#t=1.5,', 'a.mp4')

        Source: W3C Media Fragments 1.0, section 4.2.1.
        """
        if self.start_s is None and self.end_s is None:
            return self.uri
        return f"{self.uri}#t={_seconds(self.start_s)},{_seconds(self.end_s)}"

    def clip(self, sha256: str, size: int, origin: str) -> Clip:
        """The clip, once its bytes are known.

        Args:
            sha256: of the video's bytes.
            size: of the video in bytes.
            origin: the adapter's name.
        """
        return Clip(self.clip_id, self.uri, self.start_s, self.end_s, sha256, size, origin, self.rate)


@dataclass(frozen=True)
class Listing:
    """All clips of a data set.

    Attributes:
        entries: sorted by clip_id, then label.
        left_out: (what, why) of everything that was found and is not used.
        warnings: what a person should know.
        missing: what the data set's own lists name and is not there.
    """

    entries: tuple[Entry, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def relabelled(listing: Listing, label_map: Mapping[str, str]) -> Listing:
    """The listing under the labels that a data set's own classes are mapped to; other classes stay.

    A clip under two classes that count as one label stands once.

    Args:
        label_map: the data set's class to the label.
    """
    if not label_map:
        return listing
    present = {entry.label for entry in listing.entries}
    idle = sorted(set(label_map) - present)
    warnings = (f"dataset.label_map names classes of no clip in use: {', '.join(idle)}",) if idle else ()
    mapped = [_relabelled(entry, label_map.get(entry.label, entry.label)) for entry in listing.entries]
    once = {(entry.clip_id, entry.label): entry for entry in reversed(mapped)}
    return replace(listing, entries=in_order(once.values()), warnings=(*listing.warnings, *warnings))


def with_warning_of_sources(listing: Listing, remedy: str) -> Listing:
    """The listing, with a warning where clips name no source."""
    without = len({entry.clip_id for entry in listing.entries if not entry.source})
    count = len({entry.clip_id for entry in listing.entries})
    if not without:
        return listing
    warning = (
        f"{without} of {count} clips name no source: each video is its own group, so videos of one film or "
        f"camera may lie on both sides of the split; {remedy}"
    )
    return replace(listing, warnings=(*listing.warnings, warning))


def of_classes(
    entries: Iterable[Entry], wanted: Sequence[str]
) -> tuple[tuple[Entry, ...], tuple[tuple[str, str], ...]]:
    """The entries of the classes that are asked for, sorted, and what is left out of the others."""
    entries = tuple(entries)
    others = Counter(entry.label for entry in entries if entry.label not in wanted)
    left_out = tuple(
        (f"{label}/", f"{count} clips of no class of dataset.classes or dataset.label_map")
        for label, count in sorted(others.items())
    )
    return in_order(entry for entry in entries if entry.label in wanted), left_out


def in_order(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Sorted by clip_id, then label."""
    return tuple(sorted(entries, key=lambda entry: (entry.clip_id, entry.label)))


def _relabelled(entry: Entry, label: str) -> Entry:
    return entry if label == entry.label else replace(entry, label=label, class_name=entry.label)


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.6f}".rstrip("0").rstrip(".")
