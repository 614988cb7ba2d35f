"""`make clean`: what runs can make again goes, what nobody can stays."""

import shutil
import subprocess

import pytest

MADE_AGAIN = (
    "outs/train/fusion/weights.npz",
    "reports/index.html",
    "dvc.lock",
    ".dvc/cache/files/md5/ab/cd",
    ".tailwatch/store/frames/ab/x.npz",
    ".tailwatch/near/1/frames/ab/x.npz",
    ".tailwatch/clips/x.mp4",
    ".tailwatch/digests.json",
    ".tailwatch/workspaces/cache/files/md5/ab/cd",
)
CODE = ("components", "dags", "infra", "pipelines", "tests")
OF_ITS_KIND = (
    "mlflow.db",
    "mlartifacts/1/model/weights.npz",
    ".tailwatch/forgotten/report.json",
    ".tailwatch/remote/files/md5/ab/cd",
    ".tailwatch/runs/nightly/run.json",
    ".tailwatch/scores/2026-11-21.jsonl",
    ".tailwatch/airflow/airflow.db",
    ".tailwatch/workspaces/kept/nightly.train/dvc.lock",
    "films/walk.mp4",
)


@pytest.fixture
def project(project_root, tmp_path):
    shutil.copy(project_root / "Makefile", tmp_path)
    for folder in CODE:
        (tmp_path / folder / "__pycache__").mkdir(parents=True)
    for name in (*MADE_AGAIN, *OF_ITS_KIND):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    return tmp_path


def clean(folder):
    subprocess.run(["make", "clean"], cwd=folder, check=True, capture_output=True)


def test_clean_leaves_what_nobody_can_make_again(project):
    clean(project)
    assert [name for name in OF_ITS_KIND if not (project / name).is_file()] == []
    assert [name for name in MADE_AGAIN if (project / name).exists()] == []
    assert [path for folder in CODE for path in (project / folder).iterdir()] == []


def test_clean_of_a_new_checkout_removes_nothing_else(project):
    shutil.rmtree(project / ".tailwatch")
    (project / "store").write_text("the user's")
    clean(project)
    assert (project / "store").is_file()
