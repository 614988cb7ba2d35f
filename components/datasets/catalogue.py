"""From what an adapter listed to clips that can be used: labels agree, every content stands once."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from components.core.errors import BadDataError
from components.datasets.listing import Entry

Aside = dict[str, str]  # uri to the reason why the clip is set aside
_SHOWN = 10
_OF_NOTHING = hashlib.sha256().hexdigest()  # empty files are no copies of each other: each is unreadable


@dataclass(frozen=True)
class Catalogue:
    """Clips by uri, and which of them are not used.

    Attributes:
        entries: one for each uri, sorted.
        aside: why clips are not used, by uri.
        duplicates: equal files: (the uri that is kept, those that are not).
        conflicts: equal files under several labels, as text.
    """

    entries: Mapping[str, Entry]
    aside: Mapping[str, str]
    duplicates: tuple[tuple[str, tuple[str, ...]], ...]
    conflicts: tuple[str, ...]

    def used(self) -> list[Entry]:
        """The clips that are not set aside."""
        return [entry for uri, entry in self.entries.items() if uri not in self.aside]

    def without(self, aside: Mapping[str, str]) -> "Catalogue":
        """The catalogue with more clips set aside."""
        return replace(self, aside={**self.aside, **aside})


def build_catalogue(
    entries: Sequence[Entry], sha256_of: Mapping[str, str], classes: Sequence[str], *, drop_conflicts: bool
) -> Catalogue:
    """Check labels and find equal files.

    Args:
        entries: sorted by uri; a uri may stand under several labels, which is a conflict.
        sha256_of: the digest of each uri's bytes.
        classes: labels in use.
        drop_conflicts: set clips aside whose label is contradicted or unknown, instead of refusing.

    Raises:
        BadDataError: contradicted or unknown labels.
    """
    unknown = [f"{_name(entry.uri)}: {entry.label}" for entry in entries if entry.label not in classes]
    if unknown and not drop_conflicts:
        raise _refusal(unknown, "clips have a label that is no class", f"one of {', '.join(classes)}")
    by_content: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        content = sha256_of[entry.uri]
        by_content[content if content != _OF_NOTHING else entry.uri].append(entry)
    conflicts = [copies for copies in by_content.values() if len({copy.label for copy in copies}) > 1]
    told = [", ".join(f"{_name(copy.uri)}: {copy.label}" for copy in copies) for copies in conflicts]
    if told and not drop_conflicts:
        raise _refusal(told, "clips stand under more than one label", "one label for one content")
    aside = {entry.uri: f"label {entry.label} is no class" for entry in entries if entry.label not in classes}
    aside |= {copy.uri: "contradicting labels" for copies in conflicts for copy in copies}
    duplicates = _duplicates([copies for copies in by_content.values() if copies[0].uri not in aside])
    aside |= {copy: f"duplicate of {kept}" for kept, copies in duplicates for copy in copies}
    return Catalogue({entry.uri: entry for entry in entries}, aside, duplicates, tuple(told))


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
    uris = (sorted({copy.uri for copy in copies}) for copies in contents)
    return tuple((first, tuple(others)) for first, *others in uris if others)


def _refusal(told: list[str], what: str, wanted: str) -> BadDataError:
    shown = "; ".join(told[:_SHOWN]) + (f"; and {len(told) - _SHOWN} more" if len(told) > _SHOWN else "")
    return BadDataError(
        f"{len(told)} {what}: {shown}",
        wanted=wanted,
        remedy="correct the data set, or set ingest.conflicts to drop, which sets these clips aside",
    )


def _name(uri: str) -> str:
    return ascii(uri)[1:-1]
