"""From what an adapter listed to clips that can be used: labels agree, every content stands once."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from components.core.errors import BadDataError
from components.datasets.listing import Entry

Content = tuple[str, float | None, float | None]  # of what bytes, and which span of them
_SHOWN = 10
_OF_NOTHING = hashlib.sha256().hexdigest()  # empty files are no copies of each other: each is unreadable


@dataclass(frozen=True)
class Catalogue:
    """Clips by clip_id, and which of them are not used.

    Attributes:
        entries: one for each clip_id, sorted.
        aside: why clips are not used, by clip_id.
        duplicates: equal spans of equal files: (the clip that is kept, those that are not).
        conflicts: the same under several labels, as text.
    """

    entries: Mapping[str, Entry]
    aside: Mapping[str, str]
    duplicates: tuple[tuple[str, tuple[str, ...]], ...]
    conflicts: tuple[str, ...]

    def used(self) -> list[Entry]:
        """The clips that are not set aside."""
        return [entry for clip_id, entry in self.entries.items() if clip_id not in self.aside]

    def without(self, aside: Mapping[str, str]) -> "Catalogue":
        """The catalogue with more clips set aside."""
        return replace(self, aside={**self.aside, **aside})


def build_catalogue(
    entries: Sequence[Entry], sha256_of: Mapping[str, str], classes: Sequence[str], *, drop_conflicts: bool
) -> Catalogue:
    """Check labels and find equal files.

    Args:
        entries: sorted by clip_id; a clip may stand under several labels, which is a conflict.
        sha256_of: the digest of each uri's bytes.
        classes: labels in use.
        drop_conflicts: set clips aside whose label is contradicted or unknown, instead of refusing.

    Raises:
        BadDataError: contradicted or unknown labels.
    """
    unknown = [f"{_name(entry)}: {entry.label}" for entry in entries if entry.label not in classes]
    if unknown and not drop_conflicts:
        raise _refusal(unknown, "clips have a label that is no class", f"one of {', '.join(classes)}")
    by_content: dict[Content, list[Entry]] = defaultdict(list)
    for entry in entries:
        sha256 = sha256_of[entry.uri]
        start_s = entry.start_s or None  # from 0 on is from the start
        content = (sha256 if sha256 != _OF_NOTHING else entry.uri, start_s, entry.end_s)
        by_content[content].append(entry)
    conflicts = [copies for copies in by_content.values() if len({copy.label for copy in copies}) > 1]
    told = [", ".join(f"{_name(copy)}: {copy.label}" for copy in copies) for copies in conflicts]
    if told and not drop_conflicts:
        raise _refusal(told, "clips stand under more than one label", "one label for one content")
    aside = {
        entry.clip_id: f"label {entry.label} is no class" for entry in entries if entry.label not in classes
    }
    aside |= {copy.clip_id: "contradicting labels" for copies in conflicts for copy in copies}
    duplicates = _duplicates([copies for copies in by_content.values() if copies[0].clip_id not in aside])
    aside |= {copy: f"duplicate of {kept}" for kept, copies in duplicates for copy in copies}
    return Catalogue({entry.clip_id: entry for entry in entries}, aside, duplicates, tuple(told))


def check_classes(entries: Iterable[Entry], classes: Sequence[str]) -> None:
    """Refuse a data set that lacks clips of a class.

    Raises:
        BadDataError: a class without clips.
    """
    counts = Counter(entry.label for entry in entries)
    missing = [label for label in classes if not counts[label]]
    if missing:
        present = ", ".join(f"{label}: {count}" for label, count in sorted(counts.items())) or "none"
        raise BadDataError(
            f"No usable clip of class {', '.join(missing)} (usable clips: {present})",
            wanted="clips of every class in dataset.classes",
            remedy="add clips, or correct dataset.classes or dataset.root",
        )


def _duplicates(contents: Iterable[Sequence[Entry]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    clips = (sorted({copy.clip_id for copy in copies}) for copies in contents)
    return tuple((first, tuple(others)) for first, *others in clips if others)


def _refusal(told: list[str], what: str, wanted: str) -> BadDataError:
    shown = "; ".join(told[:_SHOWN]) + (f"; and {len(told) - _SHOWN} more" if len(told) > _SHOWN else "")
    return BadDataError(
        f"{len(told)} {what}: {shown}",
        wanted=wanted,
        remedy="correct the data set, or set ingest.conflicts to drop, which sets these clips aside",
    )


def _name(entry: Entry) -> str:
    return ascii(entry.clip_id)[1:-1]
