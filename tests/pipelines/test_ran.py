"""What a stage stood on, kept under the digests that DVC gives."""

import pytest

from components.core.files import write_text
from pipelines import dvc_files, ran

GRAPH = "stages:\n  ingest:\n    deps:\n    - ${dataset.root}\n    - code\n    - one.py\n    cmd: x\n"


@pytest.fixture
def root(tmp_path):
    write_text(tmp_path / ".dvcignore", "__pycache__\n*.tmp\n")
    write_text(tmp_path / "dvc.yaml", GRAPH)
    write_text(tmp_path / "params.yaml", "dataset: {root: clips}\n")
    write_text(tmp_path / "one.py", "x = 1\n")
    write_text(tmp_path / "code/a.py", "a = 1\n")
    write_text(tmp_path / "code/deep/b.py", "b = 1\n")
    write_text(tmp_path / "code/__pycache__/a.pyc", "no code")
    write_text(tmp_path / "code/half.tmp", "no code")
    return tmp_path


def test_a_folder_has_the_digest_that_dvc_gives_it(root):
    from dvc.repo import Repo

    repo = Repo.init(str(root), no_scm=True)
    (made,) = repo.add(str(root / "code"))
    assert dvc_files.digest_now(root, "code") == made.outs[0].hash_info.value
    assert set(dvc_files.folder_files(root, "code")) == {"a.py", "deep/b.py"}


def test_what_was_there_is_remembered_after_it_changed(root, tmp_path):
    then = dvc_files.digest_now(root, "code")
    ran.keep(root, "ingest")
    before = dvc_files.folder_files(root, "code")
    (root / "code/a.py").write_text("a = 2\n")
    assert dvc_files.digest_now(root, "code") != then
    assert ran.folder_then(root, then, tmp_path / "no-cache") == before
    assert ran.text_then(root, before["a.py"]) == "a = 1\n"
    assert ran.text_then(root, dvc_files.digest_now(root, "one.py")) == "x = 1\n"


def test_what_was_never_kept_is_not_guessed(root, tmp_path):
    assert ran.folder_then(root, "0" * 32 + ".dir", tmp_path) is None
    assert ran.text_then(root, "0" * 32) is None


def test_a_disk_that_is_full_costs_the_notes_and_not_the_stage(root, monkeypatch, caplog):
    monkeypatch.setenv("TAILWATCH_FAULT", "full@1")
    monkeypatch.setenv("TAILWATCH_FAULT_LOG", str(root / "log"))
    ran.keep(root, "ingest")
    assert "`tailwatch why` will not know what ingest ran with" in caplog.text
