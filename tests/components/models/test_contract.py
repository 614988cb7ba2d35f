"""What holds for every registered model; a new one is tested the day it is registered."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from components.core.errors import BadDataError, UsageError
from components.core.settings import parse, to_dict
from components.models.base import ClosedForm, InputShapes, KerasDefinition
from components.models.bundle import read_bundle
from components.models.logits import n_logits, to_probabilities
from components.models.networks import as_inputs, build_network, logits_of, weights_of
from components.models.registry import MODELS, definition_of, describe_models
from components.training.learn import learn
from components.training.observer import Unwatched
from components.training.settings import TrainSettings
from tests.components.models.conftest import T, clips_for, make_clips, make_task, small_settings

ALL = MODELS.names()
NETWORKS = [name for name in ALL if isinstance(definition_of(name), KerasDefinition)]
SCORERS = [name for name in ALL if definition_of(name).kind == "anomaly"]
CLASSIFIERS = [name for name in ALL if name not in SCORERS]
SEEING = [name for name in ALL if definition_of(name).streams]
OTHER_PROCESS = """
import sys
import numpy as np
from pathlib import Path
from components.models.bundle import read_bundle

root = Path(sys.argv[1])
for folder in sorted(path.parent for path in root.glob("*/bundle.json")):
    clips = np.load(folder / "clips.npz")
    said = read_bundle(folder).predict(
        clips["frames"], clips["numbers"], activations=clips["activations"]
    )
    known = {name: values for name, values in vars(said).items() if values is not None}
    np.savez(folder / "said.npz", **known)
"""


@pytest.fixture(scope="module")
def said_elsewhere(trained):
    """What a process that did not train says from the written bundles alone."""
    for name in ALL:
        clips = clips_for(name)
        np.savez(trained[name].folder / "clips.npz", **vars(clips))
    subprocess.run([sys.executable, "-c", OTHER_PROCESS, str(trained.folder)], check=True, timeout=600)
    return {name: np.load(trained[name].folder / "said.npz") for name in ALL}


@pytest.mark.parametrize("name", ALL)
def test_a_fresh_process_predicts_the_same(name, trained, clips, said_elsewhere):
    here = trained[name].bundle.predict(clips.frames, clips.numbers, activations=clips.activations)
    for what, values in vars(here).items():
        if values is not None:
            np.testing.assert_array_equal(values, said_elsewhere[name][what])


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_probabilities_are_probabilities(name, trained, clips):
    said = trained[name].bundle.predict(clips.frames, clips.numbers, activations=clips.activations)
    assert said.clip.shape == said.raw.shape == (12, 2)
    assert said.clip.dtype == np.float64
    np.testing.assert_allclose(said.clip.sum(axis=1), 1.0, atol=1e-12)
    assert ((said.clip >= 0) & (said.clip <= 1)).all()


@pytest.mark.parametrize("name", SCORERS)
def test_scorers_of_anomalies_give_scores_alone(name, trained, clips):
    said = trained[name].bundle.predict(clips.frames, clips.numbers, activations=clips.activations)
    assert said.scores.shape == (12,)
    assert len(said.frame_scores) == 12
    assert np.isfinite(said.scores).all()
    assert np.isnan(said.clip).all()
    assert (said.predicted == (said.scores >= trained[name].bundle.info.threshold)).all()
    with pytest.raises(UsageError, match="two classes"):
        definition_of(name).check_classes(name, ("a", "b", "c"))


@pytest.mark.parametrize("name", ALL)
def test_frames_are_answered_by_classifiers_of_frames_alone(name, trained, clips):
    said = trained[name].bundle.predict(clips.frames, clips.numbers, activations=clips.activations)
    if definition_of(name).kind == "frames":
        assert said.frames.shape == (12, 3, 2)
        np.testing.assert_allclose(said.raw, said.frames.mean(axis=1))
    else:
        assert said.frames is None


@pytest.mark.parametrize("name", ALL)
def test_some_clips_are_answered_as_all_of_them(name, trained, clips):
    bundle = trained[name].bundle
    whole = bundle.predict(clips.frames, clips.numbers, activations=clips.activations)
    some = bundle.predict(clips.frames, clips.numbers, [7, 2], clips.activations)
    np.testing.assert_allclose(some.raw, whole.raw[[7, 2]], atol=1e-6)
    if whole.scores is not None:
        np.testing.assert_allclose(some.scores, whole.scores[[7, 2]], atol=1e-6)
    assert bundle.predict(clips.frames, clips.numbers, [], clips.activations).clip.shape == (0, 2)


@pytest.mark.parametrize("name", ALL)
def test_what_two_steps_teach_is_finite(name, trained):
    learned = trained[name].learned
    assert all(np.isfinite(array).all() for array in learned.arrays.values())
    if name in NETWORKS:
        assert learned.outcome["steps"] == 2


@pytest.mark.parametrize("name", SEEING)
def test_a_fresh_model_tells_inputs_apart(name, clips):
    definition = definition_of(name)
    if isinstance(definition, ClosedForm):
        return
    shapes = InputShapes(frames=clips.frames.shape[1:], numbers=clips.numbers.shape[1:])
    keras.utils.set_random_seed(27)
    network = build_network(name, definition, small_settings(name), shapes, 2)
    at = 0 if definition.kind == "frames" else slice(None)
    streams = {
        "frames": clips.frames[:, at],
        "numbers": np.nan_to_num((clips.numbers[:, at] - 500) / 40),
    }
    inputs = {name: streams[name] for name in definition.streams}
    if hasattr(small_settings(name), "learning_part"):
        # Batch normalisation with no averages yet lets a deep network's signal die out.
        logits = np.asarray(network(as_inputs(network, inputs), training=True))
    else:
        logits = logits_of(network)(inputs)
    assert np.ptp(logits) > 1e-5


@pytest.mark.parametrize("name", NETWORKS)
def test_the_papers_parameters(name):
    definition = definition_of(name)
    network = definition.build(small_settings(name), definition.paper_shapes, 2)
    assert network.count_params() == definition.parameters == sum(map(np.size, weights_of(network).values()))


@pytest.mark.parametrize("name", [name for name in ALL if definition_of(name).verdict])
def test_a_small_rule_can_give_either_answer(name):
    frames = np.array([[[0.6, 0.4]] * T, [[0.4, 0.6]] * T])
    assert definition_of(name).verdict(small_settings(name), frames).tolist() == [0, 1]


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_three_classes(name):
    clips = make_clips(n=18, n_classes=3, side=clips_for(name).frames.shape[2])
    task = make_task(name, clips, small_settings(name), TrainSettings(), n_classes=3)
    if isinstance(task.definition, ClosedForm):
        learned = learn(task, None, Unwatched())
        probabilities = to_probabilities(task.definition.logits(learned.arrays, task.streams, 18))
        assert probabilities.shape == (18, 3)
    else:
        network = build_network(name, task.definition, task.settings, task.shapes, 3)
        assert network.output.shape[-1] == n_logits(3) == 3


@pytest.mark.parametrize("name", ALL)
def test_settings_survive_json(name):
    settings = definition_of(name).settings
    assert parse(settings, to_dict(settings()), name) == settings()


@pytest.mark.parametrize("name", SEEING)
def test_other_shapes_are_refused(name, trained, clips):
    with pytest.raises(BadDataError, match="per clip"):
        trained[name].bundle.predict(clips.frames[:, :2], clips.numbers[:, :2])


@pytest.mark.parametrize("name", ALL)
def test_read_bundle_gives_what_was_written(name, trained):
    again = read_bundle(trained[name].folder)
    assert again.digest == trained[name].bundle.digest
    assert to_dict(again.info.view) == to_dict(trained[name].bundle.info.view)
    assert again.info.classes == ("class_0", "class_1")


def test_models_are_described():
    rows = {row["model"]: row for row in describe_models()}
    assert rows["fusion"]["parameters"] == 4_062_945
    assert rows["vgg16"]["weights"] == "imagenet"
    assert rows["majority"]["looks_at"] == "labels"
    assert rows["lrcn"]["source"] == "paper 002, Table 2"
    assert rows["lrcn"]["frames"] == "20 x 64 x 64"
    assert rows["lrcn"]["file"] == rows["logistic"]["file"] == ""
    assert rows["vgg16"]["file"] == "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    assert rows["cnn3d_lstm"]["file"] == "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"
    assert all(row["source"] and row["kind"] in ("clips", "frames", "anomaly") for row in rows.values())


def test_describing_models_imports_nothing_heavy():
    code = (
        "import sys; from components.models.registry import describe_models; describe_models();"
        "sys.exit(bool({'tensorflow', 'keras', 'sklearn', 'h5py'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
