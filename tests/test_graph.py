"""dvc.yaml against the code: every stage is declared, and declares all that it stands on."""

import subprocess
import sys
from functools import reduce
from operator import getitem
from pathlib import PurePosixPath

import pytest
import yaml

from components.core.code import source_path
from components.core.settings import parse
from pipelines.cli import STAGES, cli
from pipelines.params import Params

# These modules join the others: what they hand on is the work of the components that a stage names itself.
JOINTS = {"pipelines.params", "pipelines.artifacts", "components.features.chain", "components.features.keys"}
# A bundle records the digests of the networks that made its numbers; asking for them computes nothing.
ASKED_FOR_DIGESTS = {"components.faces.build", "components.segmentation.base"}
HEAVY = ("tensorflow", "keras", "mlflow", "pandas", "sklearn", "matplotlib")
READING = (
    "components.datasets.source",
    "components.features.chain",
    "components.store.store",
    "components.video.reader",
)
STANDS_ON = {
    "ingest": (),
    "extract": READING,
    "segment": (*READING, "components.segmentation.base"),
    "featurize": (*READING, "components.segmentation.base", "components.faces.measure"),
    "normalize": (),
    "reshape": (*READING, "components.segmentation.base", "components.features.views"),
    "train": (),
    "evaluate": (),
    "compare": (),
}


@pytest.fixture(scope="module")
def graph(project_root):
    return yaml.safe_load((project_root / "dvc.yaml").read_text())["stages"]


def _body(stage):
    return stage.get("do", stage)


def _code_reached(stage):
    """Modules that decide a stage's result; what joints lead to counts only if the stage names it."""
    waiting, reached = [f"pipelines.{stage}", *STANDS_ON[stage]], set()
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        if name not in JOINTS and not (stage == "train" and name in ASKED_FOR_DIGESTS):
            waiting.extend(_direct_imports(name))
    idle = (JOINTS | ASKED_FOR_DIGESTS) - set(STANDS_ON[stage])
    return (reached - idle) | {"pipelines.artifacts"}


def _direct_imports(name):
    from components.core import code

    return code._imports(name)


def test_the_stages_stand_in_the_order_of_the_flow(graph):
    assert tuple(graph) == STAGES


@pytest.mark.parametrize("stage", STAGES)
def test_one_word_per_stage(stage, graph, project_root):
    body = _body(graph[stage])
    assert body["cmd"].split()[:3] == ["exec", "tailwatch", stage]  # no shell stays before it
    assert stage in cli.commands
    outputs = [
        *body.get("outs", ()),
        *body.get("metrics", ()),
        *(next(iter(p)) for p in body.get("plots", ())),
    ]
    assert outputs
    assert all(str(out).startswith(f"outs/{stage}/") for out in outputs)
    assert (project_root / "tests" / "pipelines" / f"test_{stage}.py").is_file()


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_declares_the_code_it_stands_on(stage, graph, project_root):
    declared = [PurePosixPath(dep) for dep in _body(graph[stage])["deps"] if "$" not in dep]
    files = {PurePosixPath(source_path(name).relative_to(project_root)) for name in _code_reached(stage)}
    bare = {file for file in files if not any(file == dep or dep in file.parents for dep in declared)}
    assert not {file for file in bare if file.name != "__init__.py"}


@pytest.mark.parametrize(
    "wanting",
    [pytest.param(("black", "frame"), id="a view"), pytest.param(("keep", "segmented"), id="featurize")],
)
def test_segment_runs_again_when_others_want_masks(wanting, graph, project_root):
    before, after = (_params(project_root, *others) for others in (("keep", "frame"), wanting))
    assert not parse(Params, before, "params").chain.mask_samplings()
    assert parse(Params, after, "params").chain.mask_samplings()
    declared = [name.split(".") for name in graph["segment"]["params"]]
    assert any(reduce(getitem, name, before) != reduce(getitem, name, after) for name in declared)


def _params(project_root, background, look_in):
    params = yaml.safe_load((project_root / "params.yaml").read_text())
    params["views"]["people128"]["background"] = background
    params["featurize"]["look_in"] = look_in
    return params


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_says_where_it_runs(stage, graph):
    meta = _body(graph[stage])["meta"]
    assert set(meta) == {"runs_on", "per_clip"}


def test_where_the_store_lies_decides_no_result(graph):
    bodies = [_body(stage) for stage in graph.values()]
    assert not [name for body in bodies for name in body["params"] if name.split(".")[0] == "store"]
    assert not [dep for body in bodies for dep in body["deps"] if dep.startswith(".tailwatch")]


def test_the_committed_params_are_the_demo_profile(project_root):
    assert (project_root / "params.yaml").read_text() == (
        project_root / "pipelines/profiles/demo.yaml"
    ).read_text()


def test_no_stage_before_train_imports_heavy_packages():
    stages = ("ingest", "extract", "segment", "featurize", "normalize", "reshape")
    modules = sorted({name for stage in stages for name in (f"pipelines.{stage}", *STANDS_ON[stage])})
    code = f"import sys, {', '.join(modules)}; print([m for m in {HEAVY} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
