"""The champion's place, asked for through the real command."""

import json
import multiprocessing
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from components.core.errors import BadDataError, UsageError
from components.tracking.claims import PromotionConflictError
from components.tracking.registry import ModelRegistry
from components.tracking.store import open_store
from pipelines import promote, question
from pipelines.artifacts import Project
from pipelines.cli import cli
from tests.pipelines.promotion import Laid, lay_out


@pytest.fixture
def laid(mlflow_project, project_root) -> Laid:
    return lay_out(mlflow_project, project_root)


@pytest.fixture(scope="module")
def champions_project(tmp_path_factory, empty_mlflow_database, project_root) -> Path:
    """A project whose champion, packaged in full, is right four times out of five."""
    root = tmp_path_factory.mktemp("champion")
    shutil.copy(empty_mlflow_database, root)
    laid = lay_out(root, project_root)
    laid.train("logistic", "fair")
    assert ask(laid)["promoted"]
    return root


@pytest.fixture
def with_champion(champions_project, tmp_path, monkeypatch) -> Laid:
    """A copy of it, in which challengers are packaged as their bundle alone."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(promote, "package", bundle_alone)
    root = tmp_path / "project"
    shutil.copytree(champions_project, root)
    return Laid(Project.open(root))


def bundle_alone(bundle: Path, _: Path, folder: Path) -> Path:
    shutil.copytree(bundle, folder / "artifacts" / "bundle")
    return folder


def command(laid: Laid, *arguments: str):
    done = CliRunner().invoke(cli, ["-q", "-C", str(laid.root), *arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def ask(laid: Laid, *arguments: str) -> dict:
    return json.loads(command(laid, "promote", "--json", *arguments).stdout)


def aliases(laid: Laid) -> dict[str, int]:
    registry = ModelRegistry(open_store(laid.root), "tailwatch")
    found = {name: registry.alias(name) for name in ("champion", "challenger", "previous")}
    return {name: version.number for name, version in found.items() if version}


def test_the_first_champion_has_floors_and_baselines_to_pass(laid):
    laid.train("logistic", "fair")
    said = ask(laid)
    assert (said["decision"], said["promoted"], said["champion"]) == ("PROMOTE", True, None)
    assert {reason["rule"] for reason in said["reasons"]} >= {"accuracy", "baseline majority"}
    assert aliases(laid) == {"champion": 1}


@pytest.mark.parametrize(
    ("looks_at", "strength", "decision", "champion"),
    [
        pytest.param("shuffled", 8.0, "REJECT", 1, id="trained on shuffled labels"),
        pytest.param("fair", 8.001, "HOLD", 1, id="a copy of the champion"),
        pytest.param("oracle", 8.0, "PROMOTE", 2, id="an oracle"),
    ],
)
def test_the_gate_against_a_champion(with_champion, looks_at, strength, decision, champion):
    with_champion.train("logistic", looks_at, strength)
    said = ask(with_champion)
    assert said["decision"] == decision
    assert said["promoted"] is (decision == "PROMOTE")
    assert aliases(with_champion)["champion"] == champion


def test_the_champion_itself_is_held(with_champion):
    said = ask(with_champion)
    assert (said["decision"], said["version"], said["next"]) == (
        "HOLD",
        1,
        "Version 1 is the champion already.",
    )
    assert aliases(with_champion) == {"champion": 1}


def test_evidence_is_on_the_version_and_in_a_run_of_its_own(with_champion):
    registry = ModelRegistry(open_store(with_champion.root), "tailwatch")
    tags = registry.champion().tags
    run_id = tags["tailwatch.evidence"].split("/")[1]
    path = registry.client.download_artifacts(run_id, "evidence.json", str(with_champion.root))
    evidence = json.loads(Path(path).read_text())
    assert tags["tailwatch.verdict"] == "PROMOTE"
    assert tags["tailwatch.test_set"] == evidence["test_set"]
    assert tags["tailwatch.data.dataset"] == "2" * 32 + ".dir"
    assert json.loads(tags["tailwatch.params"])["train"] == {"epochs": 3, "seed": 27}
    assert tags["tailwatch.dvc_lock"] == evidence["provenance"]["tailwatch.dvc_lock"]
    assert evidence["verdict"]["decision"] == "PROMOTE"
    assert len(evidence["verdict"]["reasons"]) == 7


def test_the_version_points_at_its_cards_with_the_verdict_that_it_got(with_champion):
    with_champion.train("logistic", "oracle")
    ask(with_champion)
    registry = ModelRegistry(open_store(with_champion.root), "tailwatch")
    tags = registry.champion().tags
    texts = {}
    for kind in ("model_card", "data_card"):
        run_id, name = tags[f"tailwatch.{kind}"].removeprefix("runs:/").split("/")
        texts[kind] = Path(
            registry.client.download_artifacts(run_id, name, str(with_champion.root))
        ).read_text()
    assert "**PROMOTE** against version 1." in texts["model_card"]
    assert "| champion logistic (version 1) | passed |" in texts["model_card"]
    assert texts["data_card"].startswith("# Data card: clips\n")
    assert not [text for text in texts.values() if str(with_champion.root.parent) in text]


def test_a_hold_is_approved_by_a_named_person(with_champion):
    with_champion.train("logistic", "fair", 8.001)
    assert "--approve NAME" in ask(with_champion)["next"]
    said = ask(with_champion, "--approve", "Ann Example")
    assert (said["decision"], said["promoted"], said["approved_by"]) == ("HOLD", True, "Ann Example")
    last = json.loads(command(with_champion, "history", "--json").stdout)[0]
    assert (last["action"], last["version"], last["by"]) == ("promote", 2, "Ann Example")


def test_an_approval_is_answered_again(with_champion):
    with_champion.train("logistic", "fair", 8.001)
    ask(with_champion, "--approve", "Ann Example")
    said = ask(with_champion, "--approve", "Ann Example")
    assert (said["promoted"], said["approved_by"], said["version"]) == (True, "Ann Example", 2)
    assert [move["version"] for move in promote.history(with_champion.project)] == [2, 1]


def test_an_approval_is_of_the_champion_that_was_seen(with_champion):
    """While version 2 waits for its approval, version 3 becomes champion."""
    with_champion.train("logistic", "fair", 8.001)
    assert ask(with_champion)["decision"] == "HOLD"
    with_champion.train("logistic", "fair", 8.002)
    assert ask(with_champion, "--approve", "Bob")["version"] == 3
    with_champion.train("logistic", "fair", 8.001)
    with pytest.raises(
        UsageError, match=r"2 was held against version 1, and version 3 is champion now.* look at"
    ):
        ask(with_champion, "--approve", "Ann")
    assert aliases(with_champion)["champion"] == 3
    assert ask(with_champion)["decision"] == "HOLD"
    assert ask(with_champion, "--approve", "Ann")["promoted"]


def test_a_reject_cannot_be_approved(with_champion):
    with_champion.train("logistic", "shuffled")
    with pytest.raises(
        UsageError, match=r"The gate rejects logistic: accuracy: 0\.\d+.*a person may approve"
    ):
        ask(with_champion, "--approve", "Ann Example")
    assert aliases(with_champion)["champion"] == 1


def test_rollback_and_history(with_champion):
    with_champion.train("logistic", "oracle")
    ask(with_champion)
    said = command(with_champion, "rollback", "--by", "Ann", "--why", "false alarms").stdout
    assert said == "Version 1 is champion again in place of 2 (move 3, by Ann)\n"
    assert aliases(with_champion) == {"champion": 1}
    text = command(with_champion, "history").stdout.splitlines()
    assert text[0].split()[:4] == ["move", "action", "version", "replaced"]
    assert [line.split()[:4] for line in text[1:]] == [
        ["3", "rollback", "1", "2"],
        ["2", "promote", "2", "1"],
        ["1", "promote", "1", "-"],
    ]


def test_what_a_person_rolled_back_comes_again_only_by_approval(with_champion):
    with_champion.train("logistic", "oracle")
    ask(with_champion)
    command(with_champion, "rollback", "--by", "Ann", "--why", "false alarms at night")
    said = ask(with_champion)
    assert (said["decision"], said["promoted"], said["champion"]) == ("HOLD", False, 1)
    assert said["reasons"][-1]["measured"] == "Ann rolled it back: false alarms at night"
    assert ask(with_champion, "--approve", "Bob")["promoted"]
    assert aliases(with_champion)["champion"] == 2


def test_the_verdict_in_words(with_champion):
    with_champion.train("logistic", "shuffled")
    text = command(with_champion, "promote").stdout
    assert text.startswith("REJECT: logistic (version 2) against version 1\n  accuracy ")
    assert text.endswith("Not promoted, and no approval can change that: train a better model.\n")


def test_a_promotion_that_came_second_asks_the_gate_again(with_champion, monkeypatch):
    with_champion.train("logistic", "oracle")
    asked, real = [], promote.places.promote

    def beaten_once(registry, expected, new, **more):
        asked.append(expected.number)
        if len(asked) == 1:
            raise PromotionConflictError("moved", wanted="-", remedy="-")
        return real(registry, expected, new, **more)

    monkeypatch.setattr(promote.places, "promote", beaten_once)
    assert ask(with_champion)["promoted"]
    assert len(asked) == 2


def test_an_approval_is_of_one_comparison(with_champion, monkeypatch):
    with_champion.train("logistic", "fair", 8.001)

    def beaten(*_, **__):
        raise PromotionConflictError("moved", wanted="-", remedy="-")

    monkeypatch.setattr(promote.places, "promote", beaten)
    with pytest.raises(PromotionConflictError):
        ask(with_champion, "--approve", "Ann")


def test_a_champion_of_other_classes_is_a_reason_to_hold(with_champion, monkeypatch):
    with_champion.train("logistic", "oracle")

    def stranger(*_):
        raise BadDataError("A clip is labelled `fight`", wanted="-", remedy="-")

    monkeypatch.setattr(question, "_score_champion", stranger)
    said = ask(with_champion)
    assert (said["decision"], said["reasons"][-1]["outcome"]) == ("HOLD", "missing")


def test_an_evaluation_of_another_bundle_is_refused(laid):
    laid.train("logistic", "oracle")
    before = laid.project.out("train", "logistic", "bundle.json").read_bytes()
    weights = laid.project.out("train", "logistic", "weights.npz").read_bytes()
    laid.train("logistic", "fair")
    laid.project.out("train", "logistic", "bundle.json").write_bytes(before)
    laid.project.out("train", "logistic", "weights.npz").write_bytes(weights)
    with pytest.raises(BadDataError, match="The evaluation of logistic is not of the bundle"):
        ask(laid)


def test_a_model_that_is_not_enabled(with_champion):
    with pytest.raises(UsageError, match="Model `fusion` is not enabled"):
        ask(with_champion, "--model", "fusion")


def _promote(root: Path, barrier, results) -> None:
    project = Project.open(root)
    real = promote.places.promote

    def together(*given, **more):
        barrier.wait(120)
        return real(*given, **more)

    promote.places.promote = together
    try:
        results.put((root.name, promote.promote(project, approved_by="Ann")["promoted"]))
    except PromotionConflictError:
        results.put((root.name, False))


def test_of_two_promotions_at_once_one_wins(with_champion, project_root, tmp_path_factory, monkeypatch):
    """Two workstations, one store: each has trained a better model than the champion."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{with_champion.root}/mlflow.db")
    roots = [tmp_path_factory.mktemp(name) for name in ("one", "two")]
    for root, strength in zip(roots, (8.001, 8.002), strict=True):
        lay_out(root, project_root).train("logistic", "fair", strength)
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(2), context.Queue()
    processes = [context.Process(target=_promote, args=(root, barrier, results)) for root in roots]
    for process in processes:
        process.start()
    done = dict(results.get(timeout=180) for _ in processes)
    for process in processes:
        process.join(60)
    assert sorted(done.values()) == [False, True]
    moves = promote.history(with_champion.project)
    assert [(move["move"], move["by"]) for move in moves] == [(2, "Ann"), (1, "gate")]


@pytest.mark.parametrize(
    "decide",
    [
        pytest.param(lambda project: promote.promote(project, approved_by=" "), id="approval"),
        pytest.param(lambda project: promote.rollback(project, None, "", "why"), id="rollback by nobody"),
        pytest.param(lambda project: promote.rollback(project, None, "Jane Doe", ""), id="no reason"),
    ],
)
def test_an_answer_that_names_nobody_is_refused(tmp_path, decide):
    with pytest.raises(UsageError, match="is empty"):
        decide(tmp_path)
