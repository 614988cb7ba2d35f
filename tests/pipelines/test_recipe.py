"""What a version's tags say of its making, and versions that cannot be made again."""

import json
import subprocess
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from components.core.errors import FinalError, ResourceError, StorageError, UsageError
from components.core.files import write_text
from components.tracking.registry import Version
from pipelines import reproduce, work_tree
from pipelines.provenance import Provenance, StageLock, uncommitted
from pipelines.recipe import leading_to, read_recipe

TAGS = {
    "tailwatch.git_commit": "c" * 40,
    "tailwatch.environment.cores": "2",
    "tailwatch.recipe.params": "dataset: {root: clips}\n",
    "tailwatch.recipe.stages": '["ingest", "train@m"]',
    "tailwatch.recipe.code": '{"components/core": "1.dir"}',
    "tailwatch.recipe.outs": '{"outs/train/m/weights.npz": "2"}',
    "tailwatch.recipe.dataset": "3.dir",
    "tailwatch.recipe.dataset_root": "/clips",
    "tailwatch.recipe.uncommitted": "[]",
}


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "dvc.yaml").write_text("stages: {}\n")
    return folder


def without(name):
    return {key: value for key, value in TAGS.items() if key != name}


def test_tags_are_read_back():
    recipe = read_recipe(Version(1, "", TAGS))
    assert (recipe.commit, recipe.stages, recipe.folder) == ("c" * 40, ("ingest", "train@m"), "clips")
    assert (dict(recipe.outs), dict(recipe.environment)) == (
        {"outs/train/m/weights.npz": "2"},
        {"cores": "2"},
    )


def test_only_what_leads_to_the_model_is_run_in_order():
    def lock(deps, outs):
        return StageLock("x", dict.fromkeys(deps, "1"), dict.fromkeys(outs, "2"), {})

    stages = {
        "evaluate@a": lock(["outs/t", "outs/w/a"], ["outs/e/a"]),
        "train@b": lock(["outs/t"], ["outs/w/b"]),
        "train@a": lock(["outs/t", "components/core"], ["outs/w/a"]),
        "reshape@n": lock(["outs/i"], ["outs/t"]),
        "ingest": lock(["clips"], ["outs/i"]),
    }
    assert leading_to(Provenance("", stages, "", False), "a") == [
        "ingest",
        "reshape@n",
        "train@a",
        "evaluate@a",
    ]


@pytest.mark.parametrize(
    ("tags", "text"),
    [
        pytest.param(
            without("tailwatch.recipe.outs"), "has no tag tailwatch.recipe.outs", id="before recipes"
        ),
        pytest.param(without("tailwatch.git_commit"), "outside a git repository", id="no commit"),
        pytest.param(
            TAGS | {"tailwatch.recipe.uncommitted": json.dumps(["components/core/files.py"])},
            "registered with uncommitted code: components/core/files.py",
            id="uncommitted code",
        ),
    ],
)
def test_a_version_that_cannot_be_made_again(monkeypatch, project, tags, text):
    monkeypatch.setattr(reproduce, "_version", lambda *_: Version(7, "", tags))
    with pytest.raises(UsageError, match=text):
        reproduce.run(project, "models:/tailwatch/7")


def test_a_commit_that_is_not_here(monkeypatch, project):
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    monkeypatch.setattr(reproduce, "_version", lambda *_: Version(7, "", TAGS))
    with pytest.raises(StorageError, match=f"The commit {'c' * 40} is not in this repository"):
        reproduce.run(project, "models:/tailwatch/7")


@pytest.mark.parametrize("uri", ["tailwatch/1", "models:/tailwatch", "models:/tailwatch/one"])
def test_an_address_of_no_version(project, uri):
    with pytest.raises(UsageError, match="names no version"):
        reproduce.run(project, uri)


def test_outside_a_project_nothing_is_made(tmp_path):
    with pytest.raises(UsageError, match=r"dvc\.yaml is not there"):
        reproduce.run(tmp_path, "models:/tailwatch/7")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        pytest.param(None, "/clips", id="where it lay"),
        pytest.param("moved/clips", "{here}/moved/clips", id="as seen from here"),
        pytest.param("/moved", "/moved", id="absolute"),
        pytest.param("s3://team/clips", "s3://team/clips", id="an address"),
    ],
)
def test_the_data_set_is_found_from_the_work_tree(monkeypatch, project, tmp_path, given, seen):
    found = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(reproduce, "_version", lambda *_: Version(7, "", TAGS))
    monkeypatch.setattr(reproduce, "check_out", lambda *_: nullcontext(project))
    for name in ("_check_code", "_check_data_set", "_compared"):
        monkeypatch.setattr(reproduce, name, lambda *_, **__: None)
    monkeypatch.setattr(reproduce, "prepare", lambda *given, **_: found.append(given[3]))
    monkeypatch.setattr(reproduce, "run_stage", lambda *given, **_: found.append(given[2]))
    reproduce.run(project, "models:/tailwatch/7", dataset=given)
    assert set(found) == {seen.format(here=tmp_path)}


@pytest.mark.parametrize(
    ("from_scratch", "store"), [(False, "/team/store"), (True, "{tree}/.tailwatch/store")]
)
def test_from_scratch_no_store_is_shared(monkeypatch, tmp_path, from_scratch, store):
    within = {}
    monkeypatch.setenv("TAILWATCH_STORE", "/team/store")
    monkeypatch.setattr(
        work_tree,
        "run_dvc",
        lambda *_, **given: within.update(given["within"]) or SimpleNamespace(returncode=0),
    )
    work_tree.run_stage(tmp_path, "extract", "/clips", from_scratch=from_scratch)
    assert within["TAILWATCH_STORE"] == store.format(tree=tmp_path)


@pytest.mark.parametrize(
    ("code", "kind"), [("4", StorageError), ("5", ResourceError), ("137", ResourceError), ("42", FinalError)]
)
def test_a_stage_that_fails_says_why(monkeypatch, tmp_path, code, kind):
    write_text(tmp_path / ".tailwatch/exit/extract", f"{code}\n")
    failed = SimpleNamespace(returncode=255, stdout="", stderr="tailwatch: no room")
    monkeypatch.setattr(work_tree, "run_dvc", lambda *_, **__: failed)
    with pytest.raises(kind, match="extract failed: tailwatch: no room"):
        work_tree.run_stage(tmp_path, "extract", "/clips", from_scratch=False)


def test_uncommitted_is_code_that_differs_or_was_never_added(tmp_path):
    def git(*arguments):
        subprocess.run(["git", "-C", str(tmp_path), *arguments], check=True, capture_output=True)

    (tmp_path / "components").mkdir()
    for name in ("components/a.py", "components/b.py", "dvc.yaml", "params.yaml"):
        (tmp_path / name).write_text("1\n")
    git("init", "-q")
    git("add", "--all")
    git("-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qm", "x")
    assert uncommitted(tmp_path) == []
    for name in ("components/a.py", "components/new.py", "params.yaml", "notes.txt"):
        (tmp_path / name).write_text("2\n")
    assert uncommitted(tmp_path) == ["components/a.py", "components/new.py"]
