"""doctor: what is installed, what is missing, what to do."""

import json
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from components.core.weights import WEIGHTS
from pipelines import doctor


def finding(rows: list[dict], name: str) -> dict:
    return next(row for row in rows if row["name"] == name)


def test_this_machine_can_run_the_default_profile(project_root):
    rows, healthy = doctor.run(project_root)
    assert healthy, [row for row in rows if row["state"] == "missing"]
    assert finding(rows, "tensorflow")["found"] == metadata.version("tensorflow")
    assert finding(rows, "libavcodec")["found"].endswith("(av wheel)")
    assert set(WEIGHTS) <= {row["name"] for row in rows}
    assert "Apache-2.0" in finding(rows, "face_landmark")["found"]
    assert "excludes commercial use" in finding(rows, "dlib_68_landmarks")["remedy"]
    json.dumps(rows)


def test_nothing_heavy_is_imported(project_root):
    look = (
        "import sys; from pathlib import Path; from pipelines.doctor import run; run(Path('.'));"
        "print(*{'tensorflow', 'keras', 'cv2', 'mlflow', 'av', 'dlib'} & set(sys.modules))"
    )
    found = subprocess.run(
        [sys.executable, "-c", look], cwd=project_root, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == ""


def test_a_missing_package_ends_unhealthy_and_says_what_to_do(project_root, monkeypatch):
    monkeypatch.setattr(doctor, "PACKAGES", ("no-such-package",))
    rows, healthy = doctor.run(project_root)
    assert not healthy
    assert finding(rows, "no-such-package") == {
        "area": "packages",
        "name": "no-such-package",
        "state": "missing",
        "found": "not installed",
        "remedy": "run `make setup`",
    }


def test_a_package_of_other_settings_is_only_noted(project_root, monkeypatch):
    monkeypatch.setattr(doctor, "PACKAGES", ("no-such-package",))
    monkeypatch.setattr(doctor, "OPTIONAL_PACKAGES", ("no-such-package",))
    rows, healthy = doctor.run(project_root)
    assert healthy
    assert finding(rows, "no-such-package")["state"] == "note"


def test_changed_weights_are_missing_weights(project_root, monkeypatch):
    def refuse(name: str) -> Path:
        from components.core.errors import BadDataError

        raise BadDataError(f"{name} has the sha256 0", wanted="another", remedy="put the right file there")

    monkeypatch.setattr(doctor, "locate", refuse)
    rows, healthy = doctor.run(project_root)
    assert not healthy
    assert finding(rows, "face_landmark")["remedy"] == "put the right file there"


@pytest.mark.parametrize(
    ("free_gb", "state"),
    [
        pytest.param(1, "missing", id="full"),
        pytest.param(10, "note", id="tight"),
        pytest.param(99, "ok", id="roomy"),
    ],
)
def test_free_disk(tmp_path, monkeypatch, free_gb, state):
    usage = shutil.disk_usage(tmp_path)._replace(free=free_gb * 10**9)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: usage)
    found = next(one for one in doctor.machine(tmp_path) if one.name == "free disk")
    assert found.state == state
    advised = [advice in found.remedy for advice in ("tailwatch prune", "dvc gc --workspace")]
    assert advised == [state != "ok"] * 2
    assert "clean" not in found.remedy, "which takes outs that took hours"


def test_a_project_that_ran_can_be_looked_at_without_dvc(tmp_path, monkeypatch):
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    for name in [name for name in sys.modules if name.split(".")[0] == "dvc"] + ["dvc"]:
        monkeypatch.setitem(sys.modules, name, None)
    rows, _ = doctor.run(tmp_path)
    assert finding(rows, "dvc state")["found"] == "has run"


def test_another_folder_is_no_project(tmp_path):
    rows, healthy = doctor.run(tmp_path)
    assert not healthy
    assert finding(rows, "params.yaml")["remedy"] == "change into the project's folder"
    assert finding(rows, "dvc state")["remedy"] == "dvc init"


def test_params_that_the_stages_refuse(project_root, tmp_path):
    text = (project_root / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(
        text.replace("logistic: {view: numbers, runs_on: cpu}", "logistic: {view: numbers}")
    )
    rows, healthy = doctor.run(tmp_path)
    assert not healthy
    assert finding(rows, "params.yaml")["found"] == "models.logistic names no runs_on"
    assert "`logistic: {view: numbers, runs_on: cpu}`" in finding(rows, "params.yaml")["remedy"]


@pytest.mark.parametrize(
    ("root", "state"),
    [
        pytest.param("clips", "ok", id="there"),
        pytest.param("elsewhere", "note", id="not there"),
        pytest.param("s3://bucket/clips", "ok", id="remote: not asked"),
    ],
)
def test_data_set(tmp_path, root, state):
    (tmp_path / "clips").mkdir()
    (tmp_path / "params.yaml").write_text(f"dataset: {{root: '{root}'}}")
    rows, _ = doctor.run(tmp_path)
    assert finding(rows, "data set")["state"] == state


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        pytest.param(
            "#!/bin/sh\necho 'NVIDIA T4, 15360 MiB, 550.1'\n", "NVIDIA T4, 15360 MiB, 550.1", id="a card"
        ),
        pytest.param("#!/bin/sh\nexit 9\n", None, id="no driver"),
    ],
)
def test_gpus_are_what_the_driver_says(tmp_path, monkeypatch, answer, found):
    (tmp_path / "nvidia-smi").write_text(answer)
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (first, *_) = doctor.accelerators()
    assert (first.found == found) if found else (first.state == "note")
