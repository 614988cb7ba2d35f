"""tailwatch drift, through the real command and a real registry."""

import json
import shutil

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from components.core.errors import UsageError
from components.core.tables import read_csv, write_csv
from components.features.columns import COLUMNS
from components.serving.drift import compare, from_dict
from components.serving.score_log import append
from components.tracking.registry import ModelRegistry
from components.tracking.store import open_store
from pipelines import promote
from pipelines.artifacts import Project
from pipelines.cli import cli
from pipelines.drift import PROFILE, profile_tags
from tests.pipelines.promotion import PARAMS, lay_out
from tests.pipelines.test_promote import ask, bundle_alone


@pytest.fixture
def laid(mlflow_project, project_root, monkeypatch):
    monkeypatch.setattr(promote, "package", bundle_alone)
    monkeypatch.setenv("TAILWATCH_SCORES", str(mlflow_project / "scores"))
    return lay_out(mlflow_project, project_root)


def drift(laid, *arguments):
    done = CliRunner().invoke(cli, ["-C", str(laid.root), "drift", *arguments], catch_exceptions=False)
    assert done.exit_code == 0
    assert len(done.stdout) < 1024
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


def score(laid, count, move=0.0, bundle=None):
    """So many clips, their numbers as in training but moved."""
    champion = ModelRegistry(open_store(laid.root), "tailwatch").champion()
    rng = np.random.default_rng(27)
    for number in range(count):
        told = rng.choice([-1.0, 1.0])
        values = dict.fromkeys(COLUMNS, 0.0) | {COLUMNS[0]: told + move}
        row = {"video": f"{number}", "bundle": bundle or champion.bundle, "numbers": values, "coverage": 1.0}
        append(str(laid.root / "scores"), row | {"score": 0.5 + 0.4 * told})


@pytest.mark.parametrize("limit", ["nan", "inf"])
def test_a_limit_that_nothing_can_pass_is_refused(laid, limit):
    done = CliRunner().invoke(cli, ["-C", str(laid.root), "drift", "--limit", limit])
    assert isinstance(done.exception, UsageError)


def test_without_a_champion_nothing_has_drifted(laid, caplog):
    answer, _ = drift(laid)
    assert (answer["drifted"], answer["n"], answer["version"]) == (False, 0, None)
    assert "no champion" in caplog.text


def test_clips_like_those_of_training_have_not_drifted(laid):
    laid.train("logistic", "fair")
    assert ask(laid)["promoted"]
    score(laid, 60)
    answer, said = drift(laid, "--floor", "50")
    assert (answer["n"], answer["version"]) == (60, 1)
    assert COLUMNS[0] not in answer["columns"]
    assert "coverage" in said


def test_moved_numbers_have_drifted_and_the_answer_names_them(laid, tmp_path):
    laid.train("logistic", "fair")
    assert ask(laid)["promoted"]
    score(laid, 60, move=5.0)
    score(laid, 60, move=5.0)  # the same videos again count once
    report = tmp_path / "drift.json"
    answer, _ = drift(laid, "--floor", "50", "--report", str(report))
    assert answer["drifted"]
    assert COLUMNS[0] in answer["columns"]
    assert answer["n"] == 60
    assert answer["key"].startswith("1-")
    table = {row["column"]: row for row in json.loads(report.read_text())["table"]}
    assert (table[COLUMNS[0]]["n"], table[COLUMNS[0]]["drifted"]) == (60, True)


def test_few_clips_and_clips_of_another_model_say_nothing(laid):
    laid.train("logistic", "fair")
    assert ask(laid)["promoted"]
    score(laid, 20, move=5.0)
    score(laid, 200, move=5.0, bundle="another")
    answer, _ = drift(laid, "--floor", "50")
    assert (answer["drifted"], answer["n"]) == (False, 20)


@pytest.mark.parametrize("given", ["--days=0", "--days=99999999", "--floor=0", "--limit=0", "--limit=-1"])
def test_a_bound_that_cannot_be_meant_is_wrong_use(given, tmp_path):
    done = CliRunner().invoke(cli, ["-C", str(tmp_path), "drift", given])
    assert (done.exit_code, "Invalid value" in done.output) == (2, True)


def test_the_profile_is_small_enough_for_a_tag(laid):
    laid.train("logistic", "fair")
    assert ask(laid)["promoted"]
    champion = ModelRegistry(open_store(laid.root), "tailwatch").champion()
    profile = champion.tags["tailwatch.profile"]
    assert len(profile) < 8000
    assert set(json.loads(profile)) == {"coverage", "score", *COLUMNS}


@pytest.mark.parametrize(
    ("model", "drifted"),
    [pytest.param("convlstm", False, id="frames alone"), pytest.param("logistic", True, id="numbers")],
)
def test_faces_that_were_missing_are_no_drift_of_a_model_that_looks_at_none(laid, model, drifted):
    """A scored clip of it says 1.0, where a model of numbers would say what could be measured."""
    laid.train("logistic", "fair")
    evaluated = laid.project.out("evaluate", "logistic", "predictions.csv")
    rows = [row | {"coverage": f"{0.2 + 0.01 * k}"} for k, row in enumerate(read_csv(evaluated))]
    params = yaml.safe_load(PARAMS)
    params["views"]["faces"] = {"sampling": "five", "height": 32, "width": 32, "numbers": True}
    params["models"]["convlstm"] = {"view": "faces", "runs_on": "cpu"}
    (laid.root / "params.yaml").write_text(yaml.safe_dump(params))
    project = Project.open(laid.root)
    write_csv(project.out("evaluate", model, "predictions.csv"), tuple(rows[0]), rows)
    shutil.copytree(project.out("reshape", "numbers"), project.out("reshape", "faces"))
    profile = from_dict(json.loads(profile_tags(project, model)[PROFILE]))
    (coverage,) = compare({"coverage": profile["coverage"]}, {"coverage": np.ones(60)}, floor=50, limit=0.25)
    assert coverage.drifted is drifted
