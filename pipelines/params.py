"""params.yaml as typed settings, one section per stage."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from components.core.errors import UsageError
from components.core.settings import check_range, parse
from components.datasets.splits import check_fractions
from components.evaluation.settings import CompareSettings, EvaluateSettings, GateSettings
from components.faces.settings import FeaturizeSettings
from components.features.keys import ChainSettings
from components.features.views import View
from components.segmentation.base import SegmentSettings
from components.training.settings import HIGHEST_SEED, TrainSettings
from components.video.sampling import Sampling
from pipelines.params_check import check_params

PARAMS_FILE = "params.yaml"
ROOT_VARIABLE = "TAILWATCH_DATASET_ROOT"
STORE_VARIABLE = "TAILWATCH_STORE"


@dataclass(frozen=True)
class DatasetParams:
    """The data set as it lies with its user.

    Attributes:
        root: a folder or an s3:// prefix; the environment's TAILWATCH_DATASET_ROOT goes before it.
        classes: the labels in the order of their index; of two, the second is the positive one.
        adapter: how the data set is laid out.
        options: the adapter's own.
        label_map: the data set's own class to the label that it counts as; several may share one.
    """

    root: str
    classes: tuple[str, ...]
    adapter: str = "folder"
    options: dict[str, Any] = field(default_factory=dict)
    label_map: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class IngestParams:
    """What ingest accepts.

    Attributes:
        max_bad_fraction: more bad clips than this share end the run; every stage over clips keeps to it.
        conflicts: what is done with one clip under two labels.
        near_duplicate_agreement: agreement of two clips' motion, up to 1, from which on they are the same.
    """

    max_bad_fraction: float = 0.1
    conflicts: Literal["fail", "drop"] = "fail"
    near_duplicate_agreement: float = 0.6

    def __post_init__(self) -> None:
        for name, low in (("max_bad_fraction", 0.0), ("near_duplicate_agreement", -1.0)):
            check_range(f"ingest.{name}", getattr(self, name), low, 1)


@dataclass(frozen=True)
class Fractions:
    """Shares of the clips, which add up to 1."""

    train: float = 0.6
    val: float = 0.2
    test: float = 0.2

    def __post_init__(self) -> None:
        check_fractions((self.train, self.val, self.test))


@dataclass(frozen=True)
class SplitParams:
    """How clips are divided.

    Attributes:
        strategy: by source group, by clip at random (the papers' way), or as the data set's table says.
        stratified: whether the random strategy divides each class by itself.
        seed: found by `tailwatch split`.
    """

    strategy: Literal["group", "random", "given"] = "group"
    stratified: bool = False
    seed: int = 27
    fractions: Fractions = field(default_factory=Fractions)

    def __post_init__(self) -> None:
        if self.stratified and self.strategy != "random":
            raise UsageError(
                f"split.stratified with split.strategy {self.strategy}",
                wanted="strategy random: sources, and what is given, are not divided by class",
                remedy="remove it from params.yaml",
            )


@dataclass(frozen=True)
class Fold:
    """One fold of one seed's division."""

    seed: int
    number: int


@dataclass(frozen=True)
class ProtocolParams:
    """How models are compared.

    Attributes:
        kind: kfold trains every model anew for every fold and seed, beside the one of the holdout split.
        folds: how many; each clip is tested once in every seed.
        strategy: by source group, or by clip at random, which shows what the leak between clips is worth.
        seeds: each divides the clips anew, and is the seed of training on that division.
    """

    kind: Literal["holdout", "kfold"] = "holdout"
    folds: int = 5
    strategy: Literal["group", "random"] = "group"
    seeds: tuple[int, ...] = (27,)

    def __post_init__(self) -> None:
        distinct = 0 < len(self.seeds) == len(set(self.seeds))
        if self.folds < 2 or not distinct or not all(0 <= seed <= HIGHEST_SEED for seed in self.seeds):
            raise UsageError(
                f"protocol has {self.folds} folds and seeds {list(self.seeds)}",
                wanted="2 folds or more, and different seeds from 0 to 4294967295",
                remedy="correct protocol in params.yaml",
            )

    @property
    def fold_splits(self) -> dict[str, Fold]:
        """The splits beside the holdout, by name."""
        if self.kind != "kfold":
            return {}
        folds = [Fold(seed, number) for seed in self.seeds for number in range(self.folds)]
        return {f"fold-{fold.number}-of-seed-{fold.seed}": fold for fold in folds}


@dataclass(frozen=True)
class NormalizeParams:
    """Which rows the scaler learns from; `all` leaks and is for parity with paper 000 only."""

    fit_on: Literal["train", "all"] = "train"


@dataclass(frozen=True)
class TrackParams:
    """Where runs are filed in MLflow."""

    experiment: str = "tailwatch"
    registered_model: str = "tailwatch"


@dataclass(frozen=True)
class ReportParams:
    """What reports/ shows.

    Attributes:
        blur_faces: whether faces are made unrecognisable in every picture.
        clips_per_class: contact sheets of so many clips.
    """

    blur_faces: bool = True
    clips_per_class: int = 3

    def __post_init__(self) -> None:
        check_range("report.clips_per_class", self.clips_per_class, 0)


@dataclass(frozen=True)
class StoreParams:
    """Where results per clip are kept; it decides no result, so no stage depends on it.

    Attributes:
        root: a folder or s3://bucket/prefix; the environment's TAILWATCH_STORE goes before it.
        max_gb: cap of what is kept on this machine; what was used least recently goes first.
    """

    root: str = ".tailwatch/store"
    max_gb: float = 50.0

    def __post_init__(self) -> None:
        if not self.max_gb > 0:
            raise UsageError(
                f"store.max_gb is {self.max_gb}", wanted="gigabytes, above 0", remedy="correct it"
            )


@dataclass(frozen=True)
class Resource:
    """What a stage of one class may use where it is scheduled."""

    pool: str
    cpu: int
    memory: str
    minutes: int
    retries: int
    gpu: int = 0
    parts: int = 1


@dataclass(frozen=True)
class ModelParams:
    """One enabled model.

    Attributes:
        view: the name of the view that it learns from.
        runs_on: the class of machine.
        settings: the model's own hyper-parameters, as they stand in params.yaml.
    """

    view: str
    runs_on: str
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Params:
    """All of params.yaml."""

    dataset: DatasetParams
    samplings: dict[str, Sampling]
    views: dict[str, View]
    models: dict[str, dict[str, Any]]
    resources: dict[str, Resource]
    ingest: IngestParams = field(default_factory=IngestParams)
    split: SplitParams = field(default_factory=SplitParams)
    protocol: ProtocolParams = field(default_factory=ProtocolParams)
    segment: SegmentSettings = field(default_factory=SegmentSettings)
    featurize: FeaturizeSettings = field(default_factory=FeaturizeSettings)
    normalize: NormalizeParams = field(default_factory=NormalizeParams)
    train: TrainSettings = field(default_factory=TrainSettings)
    evaluate: EvaluateSettings = field(default_factory=EvaluateSettings)
    compare: CompareSettings = field(default_factory=CompareSettings)
    gate: GateSettings = field(default_factory=GateSettings)
    track: TrackParams = field(default_factory=TrackParams)
    report: ReportParams = field(default_factory=ReportParams)
    store: StoreParams = field(default_factory=StoreParams)

    @property
    def chain(self) -> ChainSettings:
        """What decides a clip's way."""
        return ChainSettings(self.samplings, self.segment, self.featurize, self.views)

    def dataset_root(self) -> str:
        """Where the data set lies, the environment before params.yaml."""
        return os.environ.get(ROOT_VARIABLE) or self.dataset.root

    def store_root(self) -> str:
        """Where results per clip are kept, the environment before params.yaml."""
        return os.environ.get(STORE_VARIABLE) or self.store.root

    def model(self, model_id: str) -> ModelParams:
        """An enabled model's parameters.

        Raises:
            UsageError: the model is not enabled.
        """
        if model_id not in self.models:
            raise UsageError(
                f"Model `{model_id}` is not enabled",
                wanted=f"one of {', '.join(self.models)}",
                remedy=f"add a line `{model_id}: {{view: ..., runs_on: ...}}` under models in params.yaml",
            )
        given = dict(self.models[model_id])
        return ModelParams(str(given.pop("view")), str(given.pop("runs_on")), given)


def read_params(folder: Path) -> Params:
    """Read and check a project's params.yaml.

    Raises:
        UsageError: no such file, no UTF-8, no YAML, or a section that does not fit.
    """
    check_is_project(folder)
    path = folder / PARAMS_FILE
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is not UTF-8 text", wanted="a YAML file in UTF-8", remedy="save it as UTF-8"
        ) from error
    except yaml.YAMLError as error:
        raise UsageError(f"{path} is not YAML: {error}", wanted="a YAML file", remedy="correct it") from error
    return check_params(parse(Params, values, "params"))


def check_is_project(folder: Path) -> None:
    """Raise UsageError for a folder without params.yaml."""
    path = folder / PARAMS_FILE
    if not path.is_file():
        raise UsageError(
            f"{path} is not there", wanted="a Tailwatch project", remedy="change into the project's folder"
        )
