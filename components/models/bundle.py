"""The bundle: all that a prediction needs, as bundle.json and weights.npz in one folder.

Stages and serving predict through it alone, so the scaler and the division of pixels by 255 travel with the
weights.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from components.core.errors import BadDataError, TailwatchError
from components.core.files import digest, file_sha256, read_json, write_json
from components.core.settings import parse, to_dict
from components.features.scaler import Scaler
from components.features.views import View
from components.models.arrays import read_arrays, write_arrays
from components.models.base import ClosedForm, Definition, InputShapes, KerasDefinition
from components.models.calibration import Calibration
from components.models.logits import decide, to_probabilities
from components.models.networks import build_network, logits_of, put_weights
from components.models.registry import definition_of, model_settings

SCHEMA_VERSION = 1
BUNDLE_FILE = "bundle.json"
WEIGHTS_FILE = "weights.npz"
FRAMES_PER_BATCH = 80  # sixteen clips of five frames: memory stays flat, however many clips are asked for


@dataclass(frozen=True)
class BundleInfo:
    """What bundle.json says.

    Attributes:
        model_id: in the registry of models.
        settings: its hyper-parameters.
        classes: labels in the order of their index.
        view_name, view: what it looks at.
        shapes: of one clip's inputs.
        scaler: of the 29 numbers; None for a model that does not look at them.
        calibration: fitted on the validation side.
        weights_sha256: of weights.npz.
        threshold: calibrated probability of the second of two classes, or score of a scorer of anomalies,
            from which a clip is called so.
        parameters: numbers in its weights.
        chain: settings of a clip's way from file to tensors, as plain values.
        training: settings and outcome of its training.
        digests: of data, code and third-party weights, by name: what made the weights.
        environment: what equal bytes depend on.
    """

    model_id: str
    settings: dict[str, Any]
    classes: tuple[str, ...]
    view_name: str
    view: View
    shapes: InputShapes
    scaler: Scaler | None
    calibration: Calibration
    threshold: float
    parameters: int
    chain: dict[str, Any]
    training: dict[str, Any]
    digests: dict[str, Any]
    environment: dict[str, Any] = field(default_factory=dict)
    weights_sha256: str = ""
    schema_version: int = SCHEMA_VERSION


@dataclass(frozen=True)
class Predictions:
    """What a model says of N clips.

    Attributes:
        predicted: (N,) class index.
        clip: (N, K) float64, calibrated probabilities; NaN of a scorer of anomalies.
        raw: (N, K) float64, before calibration.
        frames: (N, T, K) float64, raw, of a classifier of frames; else None.
        scores, frame_scores: (N,) and (N, S) float64 of a scorer of anomalies; else None.
    """

    predicted: np.ndarray
    clip: np.ndarray
    raw: np.ndarray
    frames: np.ndarray | None
    scores: np.ndarray | None = None
    frame_scores: np.ndarray | None = None


class Bundle:
    """A trained model with all that it needs.

    Args:
        info: its description.
        arrays: its weights by name.
    """

    def __init__(self, info: BundleInfo, arrays: Mapping[str, np.ndarray]) -> None:
        self.info = info
        self.arrays = arrays
        self.definition: Definition = definition_of(info.model_id)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the description and, through their digest in it, of the weights."""
        return digest(_to_json(self.info))

    def predict(
        self,
        frames: np.ndarray | None,
        numbers: np.ndarray | None,
        rows: Sequence[int] | np.ndarray | None = None,
        activations: np.ndarray | None = None,
    ) -> Predictions:
        """Ask the model about N clips, or about some of them.

        Args:
            frames: (N, T, H, W, 3) uint8 RGB, may be memory-mapped; None for a view without pixels.
            numbers: (N, T, 29), unscaled, carried, NaN where missing; None for a view without numbers.
            rows: the clips that are asked about, in the order of the answer; by default all.
            activations: (N, components.features.activation_layout.NUMBERS); None for a view without them.

        Raises:
            BadDataError: inputs of another shape than the model learned from, or an answer that is no number.
        """
        streams = self._checked({"frames": frames, "numbers": numbers, "activations": activations})
        given = (frames, numbers, activations)
        n = max((len(array) for array in given if array is not None), default=0)
        chosen = np.arange(n) if rows is None else np.asarray(rows, np.int64)
        of_frames = self.definition.kind == "frames"
        if self.definition.kind == "anomaly":
            return self._scored(streams, chosen)
        if not len(chosen):  # convolutions refuse an empty batch
            nothing = np.zeros((0, len(self.info.classes)))
            nobody = np.zeros(0, np.int64)
            return Predictions(nobody, nothing, nothing, nothing[:, None] if of_frames else None)
        asked = to_probabilities(np.concatenate([self._ask(streams, part) for part in self._parts(chosen)]))
        return self.of_raw(asked)

    def of_raw(self, raw: np.ndarray) -> Predictions:
        """The predictions that follow from probabilities before calibration, or from scores (N, S).

        Args:
            raw: (N, K), or (N, T, K) of a classifier of frames, of which the mean counts for a clip.

        Raises:
            BadDataError: a value that is no number.
        """
        if not np.isfinite(raw).all():
            raise self._no_numbers()
        if self.definition.kind == "anomaly":
            return self._of_scores(raw)
        if raw.ndim == 3:
            found = replace(self.of_raw(raw.mean(axis=1)), frames=raw)
            if self.definition.verdict is None:
                return found
            settings = model_settings(self.info.model_id, self.info.settings)
            return replace(found, predicted=self.definition.verdict(settings, raw))
        clip = self.info.calibration.apply(raw)
        return Predictions(decide(clip, self.info.threshold), clip, raw, None)

    def _scored(self, streams: Mapping[str, np.ndarray], chosen: np.ndarray) -> Predictions:
        """What a scorer of anomalies says: no probabilities."""
        nothing = np.full((len(chosen), len(self.info.classes)), np.nan)
        if not len(chosen):
            nobody = np.zeros(0)
            return Predictions(nobody.astype(np.int64), nothing, nothing, None, nobody, nobody[:, None])
        parts = [self._ask(streams, part) for part in self._parts(chosen)]
        return self.of_raw(np.concatenate(parts).astype(np.float64))

    def _of_scores(self, of_frames: np.ndarray) -> Predictions:
        nothing = np.full((len(of_frames), len(self.info.classes)), np.nan)
        scores = self._clip_scores(of_frames)
        predicted = (scores >= self.info.threshold).astype(np.int64)
        of_each = self._clip_scores(of_frames.reshape(-1, 1)).reshape(of_frames.shape)
        return Predictions(predicted, nothing, nothing, None, scores, of_each)

    def _clip_scores(self, of_frames: np.ndarray) -> np.ndarray:
        """(N, S) -> (N,)."""
        per_clip = self.definition.clip_score
        if per_clip is None:
            return of_frames.mean(axis=1)
        return per_clip(model_settings(self.info.model_id, self.info.settings), of_frames)

    def _no_numbers(self) -> BadDataError:
        return BadDataError(
            f"Model `{self.info.model_id}` answers with values that are no numbers",
            wanted="finite logits or scores",
            remedy="train the model again",
        )

    @cached_property
    def _logits(self) -> Callable[[Mapping[str, np.ndarray], int], np.ndarray]:
        info, definition = self.info, self.definition
        settings = model_settings(info.model_id, info.settings)
        if isinstance(definition, ClosedForm):
            fitted = definition
            return lambda inputs, n: fitted.logits(self.arrays, inputs, n)
        if not isinstance(definition, KerasDefinition):
            raise TypeError(f"{info.model_id} is neither a network nor fitted in closed form")
        network = build_network(info.model_id, definition, settings, info.shapes, len(info.classes))
        put_weights(network, self.arrays)
        ask = logits_of(network)
        return lambda inputs, _n: ask(inputs)

    def _checked(self, given: Mapping[str, np.ndarray | None]) -> dict[str, np.ndarray]:
        """The streams that the model looks at."""
        wanted = self.info.shapes.of(self.definition.streams)
        streams = {name: array for name, array in given.items() if array is not None}
        for name, shape in wanted.items():
            found = streams[name].shape[1:] if name in streams else None
            if found != shape or (name == "frames" and streams[name].dtype != np.uint8):
                raise BadDataError(
                    f"{name} of shape {found} per clip",
                    wanted=f"{shape} per clip" + (", uint8" if name == "frames" else ""),
                    remedy="run `dvc repro`, or lay the clip into the bundle's own view",
                )
        return {name: streams[name] for name in wanted}

    def _parts(self, chosen: np.ndarray) -> Iterator[np.ndarray]:
        t = (self.info.shapes.frames or (1,))[0]
        size = max(1, FRAMES_PER_BATCH // t)
        for start in range(0, len(chosen), size):
            yield chosen[start : start + size]

    def _ask(self, streams: Mapping[str, np.ndarray], rows: np.ndarray) -> np.ndarray:
        """Logits of some clips: (n, 1 or K), or (n, T, 1 or K) of a classifier of frames."""
        inputs = {name: array[rows] for name, array in streams.items()}
        if "numbers" in inputs and self.info.scaler is not None:
            inputs["numbers"] = self.info.scaler.apply(inputs["numbers"])
        if self.definition.kind != "frames":
            return self._logits(inputs, len(rows))
        n, t = next(iter(inputs.values())).shape[:2]
        flat = {name: array.reshape(n * t, *array.shape[2:]) for name, array in inputs.items()}
        return self._logits(flat, n * t).reshape(
            n, t, -1
        )  # (n, T, H, W, 3) -> (n * T, H, W, 3) -> (n, T, 1 or K)


def write_bundle(folder: Path, info: BundleInfo, arrays: Mapping[str, np.ndarray]) -> Bundle:
    """Write the two files, the description last; give what `read_bundle` would."""
    write_arrays(folder / WEIGHTS_FILE, arrays)
    sha256 = file_sha256(folder / WEIGHTS_FILE)
    scaler = None if info.scaler is None else Scaler.from_dict(info.scaler.to_dict())
    sealed = replace(info, weights_sha256=sha256, scaler=scaler)
    write_json(folder / BUNDLE_FILE, _to_json(sealed))
    return Bundle(sealed, arrays)


def read_bundle(folder: Path) -> Bundle:
    """Read a bundle; its network is built when it is first asked.

    Raises:
        BadDataError: a file is missing, damaged, of another version, or the two do not belong together.
    """
    info = _from_json(read_json(folder / BUNDLE_FILE), folder / BUNDLE_FILE)
    path = folder / WEIGHTS_FILE
    if not path.is_file() or file_sha256(path) != info.weights_sha256:
        raise _wrong(path, "it is missing, or other weights than its bundle.json was written with")
    return Bundle(info, read_arrays(path))


def _shallow(info: BundleInfo) -> dict[str, Any]:
    return {item.name: getattr(info, item.name) for item in fields(info)}


def _to_json(info: BundleInfo) -> dict[str, Any]:
    scaler = None if info.scaler is None else info.scaler.to_dict()
    plain = {name: value for name, value in _shallow(info).items() if name != "scaler"}
    return {name: to_dict(value) for name, value in plain.items()} | {"scaler": scaler}


def _from_json(values: Any, path: Path) -> BundleInfo:
    if not isinstance(values, Mapping) or values.get("schema_version") != SCHEMA_VERSION:
        version = values.get("schema_version") if isinstance(values, Mapping) else None
        raise _wrong(path, f"its schema_version is {version}, this code reads {SCHEMA_VERSION}")
    try:
        scaler = values["scaler"]
        return BundleInfo(
            **{
                **{item.name: values[item.name] for item in fields(BundleInfo)},
                "classes": tuple(values["classes"]),
                "view": parse(View, values["view"], "view"),
                "shapes": parse(InputShapes, values["shapes"], "shapes"),
                "scaler": None if scaler is None else Scaler.from_dict(scaler),
                "calibration": parse(Calibration, values["calibration"], "calibration"),
            }
        )
    except (KeyError, TypeError, ValueError, TailwatchError) as error:
        raise _wrong(path, f"{type(error).__name__} {error}") from error


def _wrong(path: Path, what: str) -> BadDataError:
    return BadDataError(
        f"{path} cannot be used: {what}",
        wanted="a whole bundle of this version of Tailwatch",
        remedy="train the model again: `dvc repro`",
    )
