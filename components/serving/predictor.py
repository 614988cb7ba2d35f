"""The Python API: load what was trained, score a video.

from components.serving.predictor import load
scorer = load("models:/tailwatch@champion")
score = scorer.score("uploads/entrance.mp4")
if score.label == "stalking":
print(f"{score.probability:.2f} (from {score.threshold:.2f} on); {score.coverage:.0%} could be measured")
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from components.core.errors import BadDataError
from components.core.files import file_sha256
from components.core.scratch import scratch_folder
from components.datasets.clips import Clip
from components.evaluation.alarms import own_rule
from components.features.chain import ClipChain
from components.features.keys import ChainSettings
from components.models.bundle import Bundle, read_bundle
from components.models.counting_rule import Alarm, alarms_of, top_1
from components.serving.clip_input import VIEW, ModelInput, bundle_chain, model_input, read_apart
from components.serving.download import fetch_bundle, is_model_uri
from components.serving.score_log import append, means, scores_place
from components.store.store import Store
from components.video.rate import is_slow
from components.video.sampling import Sampling


@dataclass(frozen=True)
class Score:
    """The verdict on one video, with what it stands on.

    Attributes:
        label: the class.
        probability: calibrated; of two classes that of the second, so that it reads the same way for
            every video; of more that of `label`; None of a scorer of anomalies.
        probabilities: of every class; none of a scorer of anomalies.
        score: of a scorer of anomalies, higher where the video is less normal; else None.
        alarms: of a model with a counting rule, when it sounds; else None.
        coverage: share of the wanted measurements that could be made, in [0, 1].
        threshold: of two classes, the probability or score from which on the second is said; a model with a
            counting rule says it where that sounds.
        model: what judged: registered name and version, or the model's id, with the bundle's digest.
        decoder: what was really read of the file.
        warnings: reasons to trust the verdict less.
    """

    label: str
    probability: float | None
    probabilities: Mapping[str, float]
    coverage: float
    threshold: float
    model: str
    decoder: Mapping[str, Any]
    warnings: tuple[str, ...]
    score: float | None = None
    alarms: tuple[Alarm, ...] | None = None


class Scorer:
    """Scores videos with one bundle, going the same way as training's clips.

    Args:
        bundle: the model with all that a prediction needs.
        model: its name for people.

    Attributes:
        scores: where what was scored is written down for `tailwatch drift`; None for nowhere.
    """

    def __init__(self, bundle: Bundle, model: str) -> None:
        self.bundle = bundle
        self.model = model
        self.scores = scores_place(Path())

    def score(
        self,
        video: Path | str | bytes,
        start_s: float | None = None,
        end_s: float | None = None,
        *,
        trusted: bool = False,
    ) -> Score:
        """The verdict on a video file, given as a path or as its content.

        Args:
            start_s, end_s: the span that is meant, half-open; by default all of it.
            trusted: decode in this process, without bounds of time and memory, instead of in one of its own.

        Raises:
            BadDataError: the file is missing or no readable video.
        """
        with scratch_folder() as folder:
            path = _spool(video, folder) if isinstance(video, bytes) else Path(video)
            clip = describe(path, start_s, end_s)
            locate = partial(_given_file, path)
            chain = ClipChain(Store(folder / "store"), bundle_chain(self.bundle.info), locate)
            if not trusted:
                read_apart(chain, clip)
            decoder = dict(chain.frames(clip, chain.settings.views[VIEW].sampling).meta)
            given = model_input(chain, clip, self.bundle.definition.streams)
            score = self._judge(given, decoder)
        if self.scores is not None:
            append(self.scores, self._row(clip, given, score))
        return score

    def _row(self, clip: Clip, given: ModelInput, score: Score) -> dict[str, Any]:
        """What is written down of a scored clip."""
        return {
            "video": clip.sha256,
            "bundle": self.bundle.digest,
            "model": self.bundle.info.model_id,
            "label": score.label,
            "score": score.probability if score.score is None else score.score,
            "coverage": score.coverage,
            "numbers": means(given.numbers, given.measured),
        }

    def _judge(self, given: ModelInput, decoder: Mapping[str, Any]) -> Score:
        info = self.bundle.info
        predictions = self.bundle.predict(
            None if given.frames is None else given.frames[None],
            None if given.numbers is None else given.numbers[None],
            activations=None if given.activations is None else given.activations[None],
        )
        values = np.asarray(predictions.clip, dtype=np.float64)[0]
        place = int(predictions.predicted[0])
        of_classes = {name: float(value) for name, value in zip(info.classes, values, strict=True)}
        has_none = predictions.scores is not None
        return Score(
            label=info.classes[place],
            probability=None if has_none else float(values[1] if len(values) == 2 else values[place]),
            probabilities={} if has_none else of_classes,
            score=None if predictions.scores is None else float(predictions.scores[0]),
            coverage=given.coverage,
            threshold=float(info.threshold),
            model=self.model,
            decoder=decoder,
            alarms=self._alarms(predictions.frames, given.times_s),
            warnings=_warnings(given, decoder, bundle_chain(info)),
        )

    def _alarms(self, frames: np.ndarray | None, times_s: np.ndarray | None) -> tuple[Alarm, ...] | None:
        """When the model's own rule sounds, by the probabilities of the clip's frames (1, T, K)."""
        rule = own_rule(self.bundle.info)
        if rule is None or frames is None or times_s is None:
            return None
        return tuple(alarms_of(*top_1(frames[0], self.bundle.info.classes), times_s, rule))


def load(model: str | Path) -> Scorer:
    """The scorer of a bundle's folder or of a model in MLflow.

    Args:
        model: a folder, or a URI: "models:/tailwatch@champion", "models:/tailwatch/3".

    Raises:
        BadDataError: the bundle is damaged or made for another version of this code.
        StorageError: MLflow does not answer.
        UsageError: TAILWATCH_SCORES is no place.
    """
    if not is_model_uri(str(model)):
        bundle = read_bundle(Path(model))
        return Scorer(bundle, str(bundle.info.model_id))
    with scratch_folder() as folder:
        bundle = read_bundle(fetch_bundle(str(model), folder))
    return Scorer(bundle, f"{model} ({bundle.info.model_id})")


def describe(path: Path, start_s: float | None = None, end_s: float | None = None) -> Clip:
    """A file that belongs to no data set, as a clip.

    Raises:
        BadDataError: there is no such file.
    """
    if not path.is_file():
        raise BadDataError(f"{path} is not there", wanted="a video file", remedy="correct the path")
    return Clip(path.name, str(path), start_s, end_s, file_sha256(path), path.stat().st_size, "upload")


def _given_file(path: Path, _: Clip) -> Path:
    return path


def _spool(content: bytes, folder: Path) -> Path:
    path = folder / "upload"
    path.write_bytes(content)
    return path


def _warnings(given: ModelInput, decoder: Mapping[str, Any], chain: ChainSettings) -> tuple[str, ...]:
    found = []
    if decoder.get("status") == "partial":
        found.append(f"part of the video could not be read: {decoder.get('reason')}")
    if decoder.get("repeated_frames"):
        found.append(f"short video: {decoder['repeated_frames']} frames were used more than once")
    for sampling in _samplings(given, chain):
        if is_slow(decoder["average_rate"], sampling):
            rate = f"{float(Fraction(decoder['average_rate'])):.3g} frames a second"
            found.append(f"slow video: it has {rate}, fewer than the {sampling.per_second:g} of the model")
    if given.coverage < chain.featurize.min_coverage:
        found.append(f"only {given.coverage:.0%} of the faces' measurements could be made")
    return tuple(found)


def _samplings(given: ModelInput, chain: ChainSettings) -> list[Sampling]:
    """Those of the frames that the model's input was made of."""
    looks = given.frames is not None or given.activations is not None
    names = {chain.views[VIEW].sampling} if looks else set()
    measured = {chain.featurize.sampling} if given.numbers is not None else set()
    return [chain.samplings[name] for name in sorted(names | measured)]
