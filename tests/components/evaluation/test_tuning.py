"""A model's rule of alarms, from validation to test."""

from dataclasses import replace

import numpy as np
import pytest

from components.core.errors import BadDataError, UsageError
from components.evaluation import tuning
from components.evaluation.predictions import ClipPredictions
from components.evaluation.scoring import Scoring
from components.evaluation.settings import BootstrapSettings, EvaluateSettings
from components.models.counting_rule import RuleSettings

CLASSES = ("noFight", "fight")
OWN = RuleSettings(80.0, 2, "consecutive", "ge", 500, ("noFight",))
SPLITS = ["train", "val", "val", "val", "test", "test", "test"]
LABELS = [1, 1, 1, 0, 1, 1, 0]
# Of the two frames of every clip. On val 0.7 finds both fights without an alarm, on test one of two with one.
FRAMES = [[0, 0], [0.9, 0.9], [0.7, 0.1], [0.6, 0.6], [0.9, 0.8], [0.6, 0.6], [0.8, 0.1]]
HOURS = {f"clip{i}": 0.5 for i in range(7)}


def scoring(kind: str = "frames", classes: tuple[str, ...] = CLASSES) -> Scoring:
    positive = np.array(FRAMES)
    frames = np.stack([1 - positive, positive], axis=-1)
    names, films = (np.array([f"{what}{i}" for i in range(7)]) for what in ("clip", "film"))
    labels, clips = np.array(LABELS), frames.mean(axis=1)
    table = ClipPredictions(
        *(names, np.array(SPLITS), films, labels, labels, clips, clips, np.ones(7), classes)
    )
    if kind == "anomaly":
        return Scoring(table, None, (), positive * 10)
    return Scoring(table, frames if kind == "frames" else None, (), times_s=np.tile([0.5, 2.0], (7, 1)))


def tune(of: Scoring, limit: float | None = 1.0, own: RuleSettings | None = None):
    return tuning.tune(of, HOURS, EvaluateSettings(BootstrapSettings(samples=100), limit), own)


@pytest.mark.parametrize(
    ("kind", "frames", "rule", "recalls", "alarms"),
    [
        pytest.param("frames", 2, (0.7, 1, "total"), (1.0, 0.5), (0, 1), id="classifier of frames"),
        pytest.param("anomaly", 2, (7.0, 1, "total"), (1.0, 0.5), (0, 1), id="scorer of anomalies"),
        pytest.param("clips", 1, (0.9, 1, "total"), (0.5, 0.0), (0, 0), id="classifier of clips"),
    ],
)
def test_the_rule_of_each_kind_of_model(kind, frames, rule, recalls, alarms):
    told, points = tune(scoring(kind))
    tuned = told["tuned"]
    assert (told["limit"], told["frames"], told["own"]) == (1.0, frames, None)
    assert (tuned["threshold"], tuned["count"], tuned["mode"]) == rule
    assert tuple(tuned[split]["recall"]["value"] for split in ("val", "test")) == recalls
    assert tuple(tuned[split]["alarms"] for split in ("val", "test")) == alarms
    assert told["negative"]["test"] == {"clips": 1, "hours": 0.5, "smallest_rate": 2.0}
    assert points[0].rule.threshold == rule[0]


def test_the_test_side_has_no_say():
    """Turned about on test, the frames choose the same rule."""
    of = scoring()
    of.frames[4:] = of.frames[4:, :, ::-1]
    assert tune(of)[1] == tune(scoring())[1]
    assert tune(of)[0]["tuned"]["threshold"] == 0.7


def test_intervals_are_of_the_test_side_alone():
    tuned = tune(scoring())[0]["tuned"]
    assert tuned["val"]["recall"]["low"] is None
    assert tuned["test"]["recall"]["low"] < 0.5 < tuned["test"]["recall"]["high"]


def test_the_models_own_rule_stands_beside():
    told, _ = tune(scoring(), own=OWN)
    own = told["own"]
    assert (own["threshold"], own["count"], own["mode"], own["comparison"]) == (
        *(0.8, 2, "consecutive"),
        "ge",
    )
    assert (own["val"]["recall"]["value"], own["test"]["recall"]["value"]) == (0.5, 0.5)
    assert (own["val"]["alarms"], own["test"]["alarms"]) == (0, 0)
    assert tune(scoring("clips"), own=OWN)[0]["own"] is None


def test_the_models_own_rule_says_when():
    own = tune(scoring(), own=OWN)[0]["own"]
    assert own["alarms"] == [
        {"clip_id": name, "split": split, "start_s": 0.5, "end_s": 3.5}
        | {"label": "fight", "percent": pytest.approx(90.0), "frames": 2}
        for name, split in (("clip1", "val"), ("clip4", "test"))
    ]


def test_without_a_limit_nothing_is_chosen():
    told, points = tune(scoring(), limit=None)
    assert (told["limit"], told["tuned"]) == (None, None)
    assert points == tune(scoring())[1]


def test_more_than_two_classes_have_no_rule():
    assert tune(scoring(classes=("noFight", "fight", "robbery"))) == (None, [])


def test_a_rule_that_a_model_brings_along_judges_every_class_but_the_normal_one():
    """Fights, half of which are called robberies now, sound as before."""
    two, three = scoring(), scoring(classes=("noFight", "fight", "robbery"))
    moved = np.concatenate([two.frames, np.zeros_like(two.frames[..., :1])], axis=-1)
    moved[1::2] = moved[1::2][..., [0, 2, 1]]
    three.clips.labels[1::2] *= 2
    (told, points), (wanted, wanted_points) = (
        tune(of, own=OWN) for of in (replace(three, frames=moved), two)
    )
    labels = [[alarm.pop("label") for alarm in of["own"]["alarms"]] for of in (told, wanted)]
    assert labels == [["robbery", "fight"], ["fight", "fight"]]
    assert (told, points) == (wanted, wanted_points)
    assert told["own"]["test"]["recall"]["value"] == 0.5


def test_without_negative_clips_there_is_no_smallest_rate():
    of = scoring()
    of.clips.labels[:] = 1
    told, points = tune(of)
    assert (told["negative"]["val"]["smallest_rate"], told["tuned"], points) == (None, None, [])


def test_a_clip_of_unknown_length():
    with pytest.raises(BadDataError, match="The length of clip5 is not known"):
        tuning.tune(scoring(), {name: 1.0 for name in HOURS if name != "clip5"}, EvaluateSettings())


def test_rows_are_of_the_frontier():
    assert tuning.to_rows(tune(scoring())[1]) == [
        {"threshold": 0.7, "count": 1, "mode": "total", "recall": 1.0, "alarms": 0, "alarms_per_hour": 0.0}
    ]


@pytest.mark.parametrize("limit", [-1.0, float("nan")])
def test_a_limit_that_means_nothing(limit):
    with pytest.raises(UsageError, match="alarms_per_hour"):
        EvaluateSettings(alarms_per_hour=limit)
