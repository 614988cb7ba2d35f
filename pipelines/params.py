"""params.yaml as typed settings, one section per stage."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from components.core.errors import UsageError
from components.core.settings import parse
from components.evaluation.reference import paper_rows
from components.evaluation.settings import CompareSettings, EvaluateSettings, GateSettings
from components.faces.settings import FeaturizeSettings
from components.features.chain import ChainSettings
from components.features.views import View
from components.models.registry import definition_of, model_settings
from components.segmentation.base import SegmentSettings
from components.training.settings import TrainSettings, settings_for
from components.video.sampling import Sampling

PARAMS_FILE = "params.yaml"
ROOT_VARIABLE = "TAILWATCH_DATASET_ROOT"
STORE_VARIABLE = "TAILWATCH_STORE"
_OF_EVERY_MODEL = ("view", "runs_on", "train")


@dataclass(frozen=True)
class DatasetParams:
    """The data set as it lies with its user.

    Attributes:
        root: a folder or an s3:// prefix; the environment's TAILWATCH_DATASET_ROOT goes before it.
        classes: the labels in the order of their index; of two, the second is the positive one.
        adapter: how the data set is laid out.
    """

    root: str
    classes: tuple[str, ...]
    adapter: str = "folder"


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
        if not 0 <= self.max_bad_fraction <= 1:  # false for NaN, too
            raise UsageError(
                f"ingest.max_bad_fraction is {self.max_bad_fraction}",
                wanted="a share of the clips, from 0 to 1",
                remedy="correct it",
            )


@dataclass(frozen=True)
class Fractions:
    """Shares of the clips, which add up to 1."""

    train: float = 0.6
    val: float = 0.2
    test: float = 0.2


@dataclass(frozen=True)
class SplitParams:
    """How clips are divided.

    Attributes:
        strategy: by source group, by clip at random (the papers' way), or as the data set's table says.
        seed: found by `tailwatch split`.
    """

    strategy: Literal["group", "random", "given"] = "group"
    seed: int = 27
    fractions: Fractions = field(default_factory=Fractions)


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
    gpu: int
    minutes: int
    retries: int
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
                remedy=f"add a line `{model_id}: {{view: ...}}` under models in params.yaml",
            )
        given = dict(self.models[model_id])
        return ModelParams(str(given.pop("view")), str(given.pop("runs_on", "cpu")), given)


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


def check_params(params: Params) -> Params:
    """Check what one section alone cannot know: that names meet.

    Raises:
        UsageError: a name that is used but not there, or there but not used.
    """
    if len(set(params.dataset.classes)) < 2:
        raise UsageError(
            f"dataset.classes is {list(params.dataset.classes)}",
            wanted="two classes or more",
            remedy="name them",
        )
    for model_id, settings in params.models.items():
        if "view" not in settings:
            raise UsageError(f"models.{model_id} names no view", wanted="view: NAME", remedy="add it")
    _check_models(params)
    _check_names(
        "views", params.views, {str(settings["view"]) for settings in params.models.values()}, "enabled model"
    )
    _check_names(
        "samplings", params.samplings, set(params.chain.frame_samplings()), "view, segmenter or featurize"
    )
    unknown = {params.model(name).runs_on for name in params.models} - set(params.resources)
    if unknown:
        raise UsageError(
            f"runs_on: {sorted(unknown)[0]} is not known",
            wanted=f"one of {', '.join(params.resources)}",
            remedy="correct the model's runs_on, or add the class under resources",
        )
    return params


def _check_models(params: Params) -> None:
    """Check every model's own settings now, not when its turn to train has come."""
    for model_id, values in params.models.items():
        own = {name: value for name, value in values.items() if name not in _OF_EVERY_MODEL}
        model_settings(model_id, own)
        settings_for(model_id, params.train, values.get("train"))
    for name in params.compare.baselines:
        definition_of(name)
    paper_rows(params.compare.paper_rows)


def _check_names(section: str, present: Mapping[str, Any], used: set[str], user: str) -> None:
    missing = sorted(used - set(present))
    if missing:
        raise UsageError(
            f"{section}.{missing[0]} is asked for but not there", wanted="its settings", remedy="add it"
        )
    idle = sorted(set(present) - used)
    if idle:
        raise UsageError(
            f"{section}.{idle[0]} is used by no {user}",
            wanted="only what is used, because every entry is computed",
            remedy=f"remove {section}.{idle[0]} from params.yaml, or use it",
        )
