"""Every clip that a project ever told of, as far as outs, DVC's cache and earlier reports remember."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.core.files import read_json
from pipelines.artifacts import CLIP_COLUMNS, LABEL_COLUMNS, Project, read_labels

FORGOTTEN = "forgotten"
_OF_TABLES = 3  # columns by which a table is known: what follows differs between versions and classes
_HEADS = tuple(
    ",".join(columns[:_OF_TABLES]).encode() + b","
    for columns in (CLIP_COLUMNS, LABEL_COLUMNS, ("clip_id", "split", "source"))
)


@dataclass(frozen=True)
class KnownClips:
    """What is remembered.

    Attributes:
        digests: SHA-256 of everything that a clip_id ever stood for.
        sources: the clip_ids of each source group.
        sides: which side of the split the clips of the present outs are on.
    """

    digests: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    sources: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    sides: dict[str, str] = field(default_factory=dict)

    def add(self, table: Iterable[Mapping[str, str]]) -> None:
        """Learn from the rows of a table of clips, labels or predictions."""
        for row in table:
            self.digests[row["clip_id"]].update(filter(None, [row.get("sha256")]))
            if "source" in row:
                self.sources[row["source"]].add(row["clip_id"])


def known_clips(project: Project, caches: Iterable[Path]) -> KnownClips:
    """Read every table of clips, labels or predictions that there is.

    Args:
        caches: DVC's folders of objects, with the tables of earlier states.
    """
    known = KnownClips()
    for path in _tables(project, caches):
        with path.open(encoding="utf-8", newline="") as stream:
            known.add(csv.DictReader(stream))
    for report in earlier_reports(project):
        for clip_id, digests in report["clips"].items():
            known.digests[clip_id].update(digests)
        for source, clip_ids in report["sources"].items():
            known.sources[source].update(clip_ids)
    if project.out("ingest", "labels.csv").is_file():
        known.sides.update({name: label.holdout for name, label in read_labels(project).items()})
    return known


def earlier_reports(project: Project) -> list[dict[str, Any]]:
    """What earlier commands have forgotten: one that was interrupted is gone on with from there."""
    return [read_json(path) for path in sorted(project.state(FORGOTTEN).glob("*.json"))]


def _tables(project: Project, caches: Iterable[Path]) -> Iterator[Path]:
    ingested = (project.out("ingest", name) for name in ("clips.csv", "labels.csv"))
    own = (*ingested, *project.out("evaluate").glob("*/predictions.csv"))
    for path in (*own, *(path for cache in caches for path in cache.glob("*/*"))):
        if path.is_file():
            with path.open("rb") as stream:
                head = stream.readline().rstrip(b"\r\n")
                if head.startswith(_HEADS):
                    yield path
