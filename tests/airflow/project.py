"""The project that a cluster retrains: eight clips and two models, under git."""

import json
import shutil
import subprocess

import yaml

from .conftest import DAGS, ROOT
from .environment import ML, without_foreign

PARTS = 8
MODELS = {"logistic": "cpu", "fusion": "gpu"}
TO_RESHAPE = {"ingest", "extract", "segment", "featurize", "normalize", "reshape@people48"}
_EASY = {
    "min_accuracy": 0.0,
    "min_accuracy_low": 0.0,
    "min_recall": 0.0,
    "min_coverage": 0.0,
    "min_groups": 1,
}
_MAKE = """
import sys
from pathlib import Path
from tests.faults.tiny import make_project
make_project(Path(sys.argv[1]), Path(sys.argv[2]), network=True)
"""
_TRACKED = """
import json, sys, mlflow
client = mlflow.MlflowClient(sys.argv[1])
ids = [e.experiment_id for e in client.search_experiments()]
print(json.dumps([[r.info.run_name, r.info.status, r.data.tags] for r in client.search_runs(ids)]))
"""


class Project:
    """Frames are read in eight parts; one model wants a GPU.

    Attributes:
        folder: of dvc.yaml, and of the git repository.
    """

    def __init__(self, home):
        _in_ml(ROOT, str(ML / "python"), "-c", _MAKE, str(ROOT), str(home))
        self.folder = home / "tailwatch"
        shutil.copytree(DAGS, self.folder / "dags", ignore=shutil.ignore_patterns("__pycache__"))
        self._change("dvc.yaml", _in_one_piece)
        self._change("params.yaml", _adapt)
        self._git("checkout", "--quiet", "-b", "main")
        self._commit()

    def commit(self, how):
        """Change params.yaml, and commit it; which commit that is."""
        self._change("params.yaml", how)
        return self._commit()

    def plain_outs(self, folder):
        """Digests of the outs that a plain `dvc repro` gives in one folder, up to reshape."""
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("dags", "mlflow.db"))
        _in_ml(folder, str(ML / "dvc"), "repro", *sorted(TO_RESHAPE))
        return outs(yaml.safe_load((folder / "dvc.lock").read_text())["stages"])

    def tracked(self):
        """Name, status and tags of all MLflow runs."""
        uri = f"sqlite:///{self.folder}/mlflow.db"
        return json.loads(_in_ml(self.folder, str(ML / "python"), "-c", _TRACKED, uri).splitlines()[-1])

    def _change(self, name, how):
        path = self.folder / name
        content = yaml.safe_load(path.read_text())
        how(content)
        path.write_text(yaml.safe_dump(content, sort_keys=False))

    def _commit(self):
        who = ("-c", "user.name=a", "-c", "user.email=a@localhost")
        self._git("add", "--all")
        self._git(*who, "commit", "--quiet", "--message", "state")
        return self._git("rev-parse", "HEAD").strip()

    def _git(self, *arguments):
        ran = subprocess.run(
            ["git", *arguments], cwd=self.folder, check=True, stdout=subprocess.PIPE, text=True
        )
        return ran.stdout


def outs(stages):
    """Digests of what stages have made, by path."""
    return {out["path"]: out["md5"] for entry in stages.values() for out in entry["outs"]}


def _adapt(params):
    del params["views"]["numbers"]
    params["models"] = {name: {"view": "people48", "runs_on": where} for name, where in MODELS.items()}
    params["compare"]["baselines"] = []
    params["gate"].update(_EASY)
    params["resources"]["cpu"]["parts"] = PARTS


def _in_one_piece(pipeline):
    """All stages but that which reads the frames: the clips are few."""
    for name, stage in pipeline["stages"].items():
        if name != "extract":
            stage.get("do", stage)["meta"]["per_clip"] = False


def _in_ml(folder, *command):
    """What a command of the ml environment prints."""
    kept = without_foreign()
    environ = {**kept, "PATH": f"{ML}:{kept['PATH']}", "PYTHONPATH": str(folder), "DVC_NO_ANALYTICS": "1"}
    ran = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
