"""The compiler against DVC's own reading of dvc.yaml, and against what it must refuse."""

import ast
import shutil
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
import yaml
from tailwatch_dags.errors import GraphError
from tailwatch_dags.graph import compile_graph, read_graph

from components.core.errors import UsageError
from pipelines.params import Resource
from pipelines.params_check import LEAST, check_resources

ROOT = Path(__file__).resolve().parents[2]
PROFILES = sorted((ROOT / "pipelines" / "profiles").glob("*.yaml"))
CPU = {"pool": "cpu", "cpu": 2, "memory": "8Gi", "minutes": 60, "retries": 2}
META = {"runs_on": "cpu", "per_clip": False}
MAY_IMPORT = {
    *sys.stdlib_module_names,
    "yaml",
    "airflow",
    "croniter",
    "kubernetes",
    "pendulum",
    "tailwatch_dags",
}


def params(**more):
    return {"resources": {"cpu": CPU}, **more}


def stage(deps=(), outs=(), **more):
    return {"cmd": "true", "deps": list(deps), "outs": list(outs), "meta": META, **more}


def of_dvc(folder):
    """Stages with the names of the stages before them, as DVC has them."""
    from dvc.repo import Repo

    with Repo.init(str(folder), no_scm=True) as repo:
        graph = repo.index.graph
        return {item.name: {before.name for before in graph.successors(item)} for item in graph}


def project(folder, pipeline, settings):
    (folder / "dvc.yaml").write_text(pipeline if isinstance(pipeline, str) else yaml.safe_dump(pipeline))
    (folder / "params.yaml").write_text(settings if isinstance(settings, str) else yaml.safe_dump(settings))
    return folder


@pytest.mark.parametrize(
    "settings", [ROOT / "params.yaml", *PROFILES], ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_stages_and_edges_are_those_of_dvc(settings, tmp_path):
    project(tmp_path, (ROOT / "dvc.yaml").read_text(), settings.read_text())
    ours = {stage.name: set(stage.before) for stage in read_graph(tmp_path).stages}
    assert ours == of_dvc(tmp_path)


FANS = {
    "foreach over a mapping": {"foreach": "${views}", "do": stage(outs=["o/${key}-${item.size}"])},
    "foreach over a list": {"foreach": "${names}", "do": stage(outs=["o/${item}"])},
    "foreach over a list of mappings": {
        "foreach": "${rows}",
        "do": stage(outs=["o/${item.name}", "p/${rows[0].name}-${item.name}"]),
    },
    "foreach over a list written there": {"foreach": ["u", "v"], "do": stage(outs=["o/${item}"])},
    "matrix": stage(outs=["o/${item.name}-${item.seed}"], matrix={"name": "${names}", "seed": [1, 2]}),
    "matrix by key": stage(outs=["o/${key}"], matrix={"name": "${names}", "seed": [1, 2]}),
}


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in FANS.items()])
def test_fan_out_is_that_of_dvc(body, tmp_path):
    settings = params(
        views={"small": {"size": 64}, "large": {"size": 128}},
        names=["red", "blue"],
        rows=[{"name": "a"}, {"name": "b"}],
    )
    join = stage(deps=["o"], outs=["joined.csv"])
    project(tmp_path, {"stages": {"fan": body, "join": join}}, settings)
    ours = {stage.name: set(stage.before) for stage in read_graph(tmp_path).stages}
    assert ours == of_dvc(tmp_path)
    assert len(ours) > 2


def test_a_dep_inside_an_out_and_outs_inside_a_dep_are_edges():
    stages = {
        "make": stage(outs=["outs/a"]),
        "part": stage(deps=["outs/a/one.csv"], outs=["outs/b/two.csv", "outs/bb"]),
        "whole": stage(deps=["./outs/b/"]),
    }
    made = {stage.name: stage.before for stage in compile_graph({"stages": stages}, params()).stages}
    assert made == {"make": (), "part": ("make",), "whole": ("part",)}


def test_params_that_another_stage_writes_are_an_edge_as_dvc_has_it(tmp_path):
    stages = {
        "make": stage(outs=["found/p.yaml"]),
        "use": stage(params=[{"found/p.yaml": ["x"]}, "resources"], outs=["used"]),
    }
    project(tmp_path, {"stages": stages}, params())
    ours = {stage.name: set(stage.before) for stage in read_graph(tmp_path).stages}
    assert ours == of_dvc(tmp_path) == {"make": set(), "use": {"make"}}


@pytest.mark.parametrize("item", ["true", "on", "1e3", "1.5", "~", "0o10", "2026-11-22"])
@pytest.mark.parametrize(
    "body",
    [
        pytest.param("{foreach: [a, %s], do: {cmd: x}}", id="list"),
        pytest.param("{foreach: {%s: 1}, do: {cmd: x}}", id="mapping"),
        pytest.param("{matrix: {m: [a, %s]}, cmd: x}", id="matrix"),
    ],
)
def test_an_item_that_dvc_may_name_otherwise_is_refused(body, item, tmp_path):
    project(tmp_path, f"stages: {{fan: {body % item}}}", params())
    with pytest.raises(GraphError, match=r"stage fan: the item .* is no plain name"):
        read_graph(tmp_path)


@pytest.mark.parametrize(
    ("pipeline", "settings"),
    [
        pytest.param("stages: {}\nstages: {}\n", "a: 1", id="dvc.yaml"),
        pytest.param("stages: {}", "resources: {cpu: {retries: 1, retries: 2}}", id="params.yaml"),
    ],
)
def test_a_key_that_stands_twice_is_refused(pipeline, settings, tmp_path):
    with pytest.raises(GraphError, match=r"\.yaml, line \d: the key (stages|retries) stands twice"):
        read_graph(project(tmp_path, pipeline, settings))


def test_a_key_goes_before_the_one_that_is_merged_in(tmp_path):
    merged = "base: &base {x: 1}\nmore: &more {<<: *base, x: 2}\nmost: {<<: *more, x: 3}"
    assert read_graph(project(tmp_path, "stages: {}", merged)).stages == ()


@pytest.mark.parametrize(
    ("pipeline", "settings", "message"),
    [
        pytest.param({"stages": {1: stage()}}, params(), "stage 1: its name is a int", id="stage"),
        pytest.param({"stages": ["f"]}, params(), "stages is a list", id="stages"),
        pytest.param({"stages": {}}, {"resources": ["cpu"]}, "resources is a list", id="resources"),
        pytest.param({"stages": {}}, {"resources": {1: CPU}}, "class 1: its name is a int", id="class"),
    ],
)
def test_what_is_of_another_type_is_refused(pipeline, settings, message):
    with pytest.raises(GraphError, match=message):
        compile_graph(pipeline, settings)


REFUSED = {
    "a cycle": ({"one": stage(["b"], ["a"]), "two": stage(["a"], ["b"])}, "stage (one|two): it waits"),
    "a stage that reads its own out": ({"one": stage(["a"], ["a/b"])}, "stage one: it waits for itself"),
    "an unknown class": (
        {"one": stage(meta={"runs_on": "tpu", "per_clip": False})},
        "stage one: meta.runs_on is 'tpu'. Wanted: a class under resources",
    ),
    "no meta": ({"one": {"cmd": "true"}}, "stage one: it has no meta"),
    "no per_clip": ({"one": stage(meta={"runs_on": "cpu"})}, "stage one: meta.per_clip is None"),
    "another folder": ({"one": stage(wdir="sub")}, "stage one: wdir is not supported"),
    "vars of a stage": ({"one": stage(vars=["x.yaml"])}, "stage one: vars is not supported"),
    "two makers": ({"one": stage(outs=["a"]), "two": stage(outs=["a"])}, "stage two: a is also made by one"),
    "a nested mark": ({"one": stage(outs=["${a.${b}}"])}, "stage one: .* no form of interpolation"),
    "an unknown name": ({"one": stage(outs=["${nothing.here}"])}, r"stage one: \$\{nothing.here\} is not in"),
    "a mapping inside a text": ({"one": stage(outs=["o/${resources}"])}, "stage one: .* is a dict inside"),
    "an item of no fan-out": ({"one": stage(outs=["o/${item.x}"])}, r"stage one: \$\{item.x\} is not in"),
    "foreach over a number": (
        {"one": {"foreach": "${resources.cpu.cpu}", "do": stage()}},
        "stage one: foreach goes over a int",
    ),
    "foreach without do": ({"one": {"foreach": ["a"], "cmd": "true"}}, "stage one: foreach stands with"),
    "matrix of mappings": ({"one": stage(matrix={"a": [{"b": 1}]})}, "stage one: its matrix"),
    "matrix as a whole from params": (
        {"one": stage(matrix="${resources}")},
        "stage one: its matrix",
    ),
    "a name no task can carry": ({"one": {"foreach": ["a b"], "do": stage()}}, "stage one@a b: the name"),
    "deps that are no list": ({"one": stage(deps=()) | {"deps": "a"}}, "stage one: deps is a str"),
    "params that are no list": ({"one": stage(params="a")}, "stage one: params is a str"),
    "no stage at all": ({"one": "tailwatch ingest"}, "stage one: it is a str"),
}


@pytest.mark.parametrize(
    ("stages", "message"), [pytest.param(*case, id=name) for name, case in REFUSED.items()]
)
def test_what_cannot_be_scheduled_is_refused_by_the_stages_name(stages, message):
    with pytest.raises(GraphError, match=message):
        compile_graph({"stages": stages}, params())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"pool": ""}, "class cpu: pool", id="no pool"),
        pytest.param({"minutes": 0}, "class cpu: minutes is 0", id="no time"),
        pytest.param({"cpu": True}, "class cpu: cpu is True", id="a truth for a number"),
        pytest.param({"memory": "8 gigs"}, "class cpu: memory is '8 gigs'", id="memory in words"),
        pytest.param({"memory": "8"}, "class cpu: memory is '8'", id="eight bytes"),
        pytest.param({"disk": 1}, "class cpu: resources.cpu is", id="a stranger"),
    ],
)
def test_what_a_class_asks_is_checked(change, message):
    with pytest.raises(GraphError, match=message):
        compile_graph({"stages": {"one": stage()}}, {"resources": {"cpu": {**CPU, **change}}})


@pytest.mark.parametrize(
    ("name", "value", "fits"),
    [
        *((name, low, True) for name, low in LEAST.items()),
        *((name, low - 1, False) for name, low in LEAST.items()),
        *(("memory", amount, fits) for amount, fits in (("1Gi", True), ("512M", True), ("0Gi", False))),
        ("memory", "8", False),
        ("pool", "", False),
    ],
)
def test_commands_and_dags_refuse_the_same_classes(name, value, fits):
    asked = {**CPU, name: value}
    with nullcontext() if fits else pytest.raises(GraphError, match="class cpu"):
        compile_graph({"stages": {"one": stage()}}, {"resources": {"cpu": asked}})
    with nullcontext() if fits else pytest.raises(UsageError, match=r"resources\.cpu"):
        check_resources({"cpu": Resource(**asked)})


def test_a_class_that_lacks_something_is_refused():
    with pytest.raises(GraphError, match=r"resources\.cpu is"):
        compile_graph({"stages": {"one": stage()}}, {"resources": {"cpu": {"pool": "cpu"}}})


def test_vars_of_dvc_yaml_are_refused():
    with pytest.raises(GraphError, match=r"dvc\.yaml has vars"):
        compile_graph({"vars": ["x.yaml"], "stages": {}}, params())


def test_a_model_brings_its_stages_and_its_class():
    pipeline = yaml.safe_load((ROOT / "dvc.yaml").read_text())
    settings = yaml.safe_load((ROOT / "params.yaml").read_text())
    before = {stage.name for stage in compile_graph(pipeline, settings).stages}
    settings["models"]["vgg16"] = {"view": "people128", "runs_on": "gpu"}
    after = {stage.name: stage for stage in compile_graph(pipeline, settings).stages}
    assert set(after) - before == {"train@vgg16", "evaluate@vgg16"}
    assert after["train@vgg16"].resource.gpu == 1
    assert (after["train@vgg16"].word, after["train@vgg16"].item) == ("train", "vgg16")


def test_dags_name_no_stage_and_no_model():
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    models = yaml.safe_load((ROOT / "params.yaml").read_text())["models"]
    texts = {
        node.value
        for path in (ROOT / "dags").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not texts & {*stages, *models}


@pytest.mark.parametrize("path", sorted((ROOT / "dags").rglob("*.py")), ids=lambda path: path.name)
def test_dags_import_nothing_of_the_ml_environment(path):
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    assert imported <= MAY_IMPORT


def test_the_compiler_needs_no_airflow(tmp_path):
    shutil.copytree(ROOT / "dags", tmp_path / "dags")
    code = "import sys, tailwatch_dags.graph; print([m for m in ('airflow', 'dvc') if m in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "dags", capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"
