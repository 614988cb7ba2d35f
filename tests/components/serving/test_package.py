"""A bundle as MLflow's model, run where there is no checkout."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from components.core.errors import BadDataError
from components.serving.download import bundle_in
from components.serving.package import PACKAGES, package, pinned

ELSEWHERE = """
import importlib.util, json, pathlib, sys
sys.path = [place for place in sys.path if place != sys.argv[3]]
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower()]
assert importlib.util.find_spec("components") is None, "the checkout is reachable"
import mlflow, pandas as pd
model = mlflow.pyfunc.load_model(sys.argv[1])
film = sys.argv[2]
content = pathlib.Path(film).read_bytes()
rows = [model.predict(given) for given in (pd.DataFrame({"video": [film]}), [film, content], film)]
import components
print(json.dumps({"rows": [row.to_dict("records") for row in rows], "code": components.__path__[0]}))
"""


@pytest.fixture(scope="module")
def model(bundle_folder: Path, project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package(bundle_folder, project_root / "requirements.lock", tmp_path_factory.mktemp("packaged"))


def test_it_holds_bundle_and_code_and_nothing_pickled(model):
    names = {str(path.relative_to(model)) for path in model.rglob("*") if path.is_file()}
    assert {"MLmodel", "artifacts/bundle/bundle.json", "artifacts/bundle/weights.npz"} <= names
    assert "code/components/features/chain.py" in names
    assert not [name for name in names if name.endswith((".pkl", ".pyc"))]
    assert (bundle_in(model) / "weights.npz").is_file()


def test_it_runs_in_a_fresh_process_outside_the_checkout(model, film, tmp_path, project_root):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    script = tmp_path / "elsewhere.py"
    script.write_text(ELSEWHERE)
    done = subprocess.run(
        [sys.executable, "-P", str(script), str(model), str(film), str(project_root)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["code"].startswith(str(model))
    assert [len(rows) for rows in found["rows"]] == [1, 2, 1]
    for row in itertools.chain(*found["rows"]):
        assert row["class"] == "stalking"
        assert row["probability"] == pytest.approx(0.75)
        assert row["coverage"] == 0.0


def test_requirements_are_those_of_the_lock(project_root):
    found = pinned(project_root / "requirements.lock", PACKAGES)
    assert "mlflow==3.17.2" in found
    assert len(found) == len(PACKAGES)


def test_a_requirement_that_is_not_locked(tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text("numpy==2.4.0 \\\n    --hash=sha256:00\n")
    assert pinned(lock, ("numpy",)) == ["numpy==2.4.0"]
    with pytest.raises(BadDataError, match=r"requirements\.lock has no scipy"):
        pinned(lock, ("numpy", "scipy"))
