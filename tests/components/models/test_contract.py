"""What holds for every registered model; a new one is tested the day it is registered."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from components.core.errors import BadDataError
from components.core.settings import parse, to_dict
from components.models.base import ClosedForm, InputShapes, KerasDefinition
from components.models.bundle import read_bundle
from components.models.logits import n_logits, to_probabilities
from components.models.networks import build_network, logits_of, weights_of
from components.models.registry import MODELS, definition_of, describe_models
from components.training.learn import learn
from components.training.observer import Unwatched
from components.training.settings import TrainSettings
from tests.components.models.conftest import make_clips, make_task, small_settings

ALL = MODELS.names()
NETWORKS = [name for name in ALL if isinstance(definition_of(name), KerasDefinition)]
SEEING = [name for name in ALL if definition_of(name).streams]
OTHER_PROCESS = """
import sys
import numpy as np
from pathlib import Path
from components.models.bundle import read_bundle

root = Path(sys.argv[1])
clips = np.load(root / "clips.npz")
for folder in sorted(path.parent for path in root.glob("*/bundle.json")):
    said = read_bundle(folder).predict(clips["frames"], clips["numbers"])
    np.savez(folder / "said.npz", clip=said.clip, raw=said.raw)
"""


@pytest.fixture(scope="module")
def said_elsewhere(trained, clips):
    """What a process that did not train says from the written bundles alone."""
    root = next(iter(trained.values())).folder.parent
    np.savez(root / "clips.npz", frames=clips.frames, numbers=clips.numbers)
    subprocess.run([sys.executable, "-c", OTHER_PROCESS, str(root)], check=True, timeout=300)
    return {name: np.load(root / name / "said.npz") for name in trained}


@pytest.mark.parametrize("name", ALL)
def test_a_fresh_process_predicts_the_same(name, trained, clips, said_elsewhere):
    here = trained[name].bundle.predict(clips.frames, clips.numbers)
    np.testing.assert_array_equal(here.clip, said_elsewhere[name]["clip"])
    np.testing.assert_array_equal(here.raw, said_elsewhere[name]["raw"])


@pytest.mark.parametrize("name", ALL)
def test_probabilities_are_probabilities(name, trained, clips):
    said = trained[name].bundle.predict(clips.frames, clips.numbers)
    assert said.clip.shape == said.raw.shape == (12, 2)
    assert said.clip.dtype == np.float64
    np.testing.assert_allclose(said.clip.sum(axis=1), 1.0, atol=1e-12)
    assert ((said.clip >= 0) & (said.clip <= 1)).all()


@pytest.mark.parametrize("name", ALL)
def test_frames_are_answered_by_classifiers_of_frames_alone(name, trained, clips):
    said = trained[name].bundle.predict(clips.frames, clips.numbers)
    if definition_of(name).kind == "frames":
        assert said.frames.shape == (12, 3, 2)
        np.testing.assert_allclose(said.raw, said.frames.mean(axis=1))
    else:
        assert said.frames is None


@pytest.mark.parametrize("name", ALL)
def test_some_clips_are_answered_as_all_of_them(name, trained, clips):
    bundle = trained[name].bundle
    whole = bundle.predict(clips.frames, clips.numbers)
    some = bundle.predict(clips.frames, clips.numbers, rows=[7, 2])
    np.testing.assert_allclose(some.raw, whole.raw[[7, 2]], atol=1e-6)
    assert bundle.predict(clips.frames, clips.numbers, rows=[]).clip.shape == (0, 2)


@pytest.mark.parametrize("name", ALL)
def test_a_step_changes_every_weight_that_learns(name, trained):
    learned = trained[name].learned
    assert all(np.isfinite(array).all() for array in learned.arrays.values())
    if name in NETWORKS:
        assert learned.outcome["steps"] == 2
    assert learned.parameters == trained[name].bundle.info.parameters


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
    logits = logits_of(network)({name: streams[name] for name in definition.streams})
    assert np.ptp(logits) > 1e-5


@pytest.mark.parametrize("name", NETWORKS)
def test_the_papers_parameters(name):
    definition = definition_of(name)
    network = definition.build(small_settings(name), definition.paper_shapes, 2)
    assert network.count_params() == definition.parameters == sum(map(np.size, weights_of(network).values()))


@pytest.mark.parametrize("name", ALL)
def test_three_classes(name):
    clips = make_clips(n=18, n_classes=3)
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


def test_describing_models_imports_nothing_heavy():
    code = (
        "import sys; from components.models.registry import describe_models; describe_models();"
        "sys.exit(bool({'tensorflow', 'keras', 'sklearn', 'h5py'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
