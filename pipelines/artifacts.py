"""The project's folder: its parameters, its store, and the files that stages hand on."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from components.core.errors import BadDataError
from components.core.files import read_json
from components.core.settings import to_dict
from components.core.tables import read_csv, write_csv
from components.datasets.clips import Clip, Label
from components.datasets.folds import sides_of_fold
from components.features.chain import ClipChain
from components.store.store import Store
from pipelines.params import Params, read_params

STATE_FOLDER = ".tailwatch"
HOLDOUT = "holdout"
CLIP_COLUMNS = tuple(field.name for field in fields(Clip))
LABEL_COLUMNS = tuple(field.name for field in fields(Label))


@dataclass(frozen=True)
class Project:
    """A checkout with its params.yaml.

    Attributes:
        root: the folder of dvc.yaml.
        params: its parameters, checked.
    """

    root: Path
    params: Params

    @classmethod
    def open(cls, root: Path) -> "Project":
        """The project in a folder."""
        return cls(root, read_params(root))

    def out(self, stage: str, *names: str) -> Path:
        """The path of a stage's output."""
        return self.root.joinpath("outs", stage, *names)

    def state(self, *names: str) -> Path:
        """The path of something that is remembered between runs but is no output."""
        return self.root.joinpath(STATE_FOLDER, *names)

    @cached_property
    def store(self) -> Store:
        """The content-addressed store; what lies near of one bucket is never taken for another's."""
        root = self.params.store_root()
        where = root if "://" in root else str(self.root / root)
        near = self.state("near", hashlib.sha256(root.encode()).hexdigest()[:12])
        return Store.open(where, near, self.params.store.max_gb)

    @cached_property
    def chain(self) -> ClipChain:
        """The way of a clip under this project's parameters."""
        return ClipChain(self.store, self.params.chain, self.locate)

    @property
    def locate(self) -> "ClipLocator":
        """Finds the local file of a clip."""
        return ClipLocator(self.dataset_root, self.state("clips"))

    @property
    def dataset_root(self) -> str:
        """Where the data set lies: an absolute path, or an address with a scheme."""
        root = self.params.dataset_root()
        return root if "://" in root else str((self.root / root).resolve())

    @property
    def dataset_name(self) -> str:
        """The last name of where the data set lies, which tells nobody where that is."""
        name = PurePosixPath(self.params.dataset_root().rstrip("/")).name
        return name if name.strip(".") else PurePosixPath(self.dataset_root).name


@dataclass(frozen=True)
class ClipLocator:
    """Finds the local file of a clip; a remote one is fetched once.

    Attributes:
        root: the data set's root.
        fetched: folder of fetched clips.
    """

    root: str
    fetched: Path

    def __call__(self, clip: Clip) -> Path:
        """The local file of a clip."""
        from components.datasets.source import open_root

        return open_root(self.root, self.fetched).local(clip.uri)


def write_clips(path: Path, clips: Iterable[Clip]) -> None:
    """Write clips.csv, sorted by clip_id."""
    write_csv(path, CLIP_COLUMNS, (asdict(clip) for clip in sorted(clips, key=lambda clip: clip.clip_id)))


def read_clips(project: Project) -> list[Clip]:
    """The clips that ingest found, sorted by clip_id."""
    rows = read_csv(project.out("ingest", "clips.csv"), CLIP_COLUMNS)
    return [
        Clip(
            clip_id=row["clip_id"],
            uri=row["uri"],
            start_s=_seconds(row["start_s"]),
            end_s=_seconds(row["end_s"]),
            sha256=row["sha256"],
            size=int(row["size"]),
            origin=row["origin"],
            rate=row["rate"],
        )
        for row in rows
    ]


def write_labels(path: Path, labels: Iterable[Label]) -> None:
    """Write labels.csv, sorted by clip_id."""
    lists = ("intervals", "parts")
    rows = (asdict(label) | {name: json.dumps(getattr(label, name)) for name in lists} for label in labels)
    write_csv(path, LABEL_COLUMNS, sorted(rows, key=lambda row: row["clip_id"]))


def read_labels(project: Project) -> dict[str, Label]:
    """What is known of each clip beside its pictures, by clip_id."""
    rows = read_csv(project.out("ingest", "labels.csv"), LABEL_COLUMNS)
    return {row["clip_id"]: _label(row) for row in rows}


def read_sides(project: Project, split: str) -> dict[str, str]:
    """The side of every clip that takes part in a split, by clip_id.

    Args:
        split: `holdout`, or one of the protocol's folds.

    Raises:
        BadDataError: the clips were dealt under another protocol.
    """
    labels = read_labels(project)
    if split == HOLDOUT:
        return {clip_id: label.holdout for clip_id, label in labels.items() if label.holdout}
    protocol = project.params.protocol
    fold = protocol.fold_splits[split]
    place = protocol.seeds.index(fold.seed)
    dealt = {clip_id: label.parts for clip_id, label in labels.items() if label.parts}
    _check_dealt(project, dealt)
    parts = {clip_id: of_seeds[place] for clip_id, of_seeds in dealt.items()}
    return sides_of_fold(parts, fold.number, protocol.folds)


def _check_dealt(project: Project, dealt: Mapping[str, tuple[int, ...]]) -> None:
    protocol, report = project.params.protocol, project.out("ingest", "report.json")
    shapes = {len(of_seeds) for of_seeds in dealt.values()}
    highest = max((max(of_seeds) for of_seeds in dealt.values()), default=-1)
    told = read_json(report).get("protocol") if report.is_file() else None
    fits = shapes == {len(protocol.seeds)} and highest < 2 * protocol.folds
    if not fits or (told is not None and told != to_dict(protocol)):
        raise BadDataError(
            "The clips in outs/ingest/labels.csv were dealt into folds under another protocol",
            wanted=f"{protocol.folds} folds of seeds {list(protocol.seeds)} by {protocol.strategy}",
            remedy="run `dvc repro`, which runs ingest first",
        )


def read_index(project: Project, stage: str, columns: Sequence[str] = ()) -> list[dict[str, str]]:
    """The index that a stage over clips wrote."""
    return read_csv(project.out(stage, "index.csv"), ("clip_id", "status", *columns))


def usable_clips(project: Project, stage: str) -> list[Clip]:
    """The clips that a stage over clips did not set aside, sorted by clip_id."""
    rows = read_index(project, stage)
    bad = {row["clip_id"] for row in rows if row["status"] == "bad"}
    indexed = {row["clip_id"] for row in rows} - bad
    return [clip for clip in read_clips(project) if clip.clip_id in indexed]


def read_out(project: Project, stage: str, *names: str) -> Any:
    """A JSON file of a stage."""
    return read_json(project.out(stage, *names))


def _label(row: dict[str, str]) -> Label:
    return Label(
        clip_id=row["clip_id"],
        label=row["label"],
        intervals=tuple((float(start), float(end)) for start, end in json.loads(row["intervals"])),
        source=row["source"],
        holdout=row["holdout"],
        reason=row["reason"],
        parts=tuple(json.loads(row["parts"])),
    )


def _seconds(text: str) -> float | None:
    return float(text) if text else None
