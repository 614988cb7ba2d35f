"""What a version's tags say of its making, and versions that cannot be made again."""

import json
import subprocess

import pytest

from components.core.errors import StorageError, UsageError
from components.tracking.registry import Version
from pipelines import reproduce
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
def test_a_version_that_cannot_be_made_again(monkeypatch, tmp_path, tags, text):
    monkeypatch.setattr(reproduce, "_version", lambda *_: Version(7, "", tags))
    with pytest.raises(UsageError, match=text):
        reproduce.run(tmp_path, "models:/tailwatch/7")


def test_a_commit_that_is_not_here(monkeypatch, tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    monkeypatch.setattr(reproduce, "_version", lambda *_: Version(7, "", TAGS))
    with pytest.raises(StorageError, match=f"The commit {'c' * 40} is not in this repository"):
        reproduce.run(tmp_path, "models:/tailwatch/7")


@pytest.mark.parametrize("uri", ["tailwatch/1", "models:/tailwatch", "models:/tailwatch/one"])
def test_an_address_of_no_version(tmp_path, uri):
    with pytest.raises(UsageError, match="names no version"):
        reproduce.run(tmp_path, uri)


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
