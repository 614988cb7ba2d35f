"""Cards: what they say of a model and of its data, and what they say where something is not known."""

import copy
import platform
import shutil
from pathlib import Path

import pytest

from components.core.files import digest, write_json
from components.core.tables import write_csv
from components.core.weights import WEIGHTS
from pipelines.artifacts import Project
from pipelines.cards.cards import card_tags, cards
from pipelines.cards.data_card import data_card
from pipelines.cards.facts import data_facts, decoded_facts, model_facts
from pipelines.cards.model_card import limits, model_card
from pipelines.extract import COLUMNS
from tests.pipelines.promotion import Laid, lay_out

REPORT = {
    "unreadable": [{"clip_id": "a.mp4", "reason": "no video"}],
    "duplicates": [],
    "near_duplicates": [{"clips": ["b.mp4", "c.mp4"], "agreement": 0.9}] * 2,
    "conflicts": [],
    "left_out": [],
    "missing": ["d.mp4"],
    "warnings": ["the data set's own split has no val side"],
    "properties": {
        "size": {
            "counts": {"320x240": {"stalking": 20}, "640x480": {"non_stalking": 20}},
            "guess": 1.0,
            "guess_blind": 0.5,
            "one_label": [{"value": "320x240", "label": "stalking", "clips": 20}],
        }
    },
}
TRAINING = {
    "settings": {"seed": 27, "epochs": 25, "max_steps": None},
    "train_clips": 14,
    "val_clips": 6,
    "epochs": 9,
    "best_epoch": 4,
    "stopped": "budget",
    "cut_short": True,
    "precision": "float32",
    "warnings": ["logistic may have learned nothing"],
}


@pytest.fixture(scope="module")
def laid(tmp_path_factory, project_root) -> Laid:
    found = lay_out(tmp_path_factory.mktemp("cards"), project_root)
    found.train("logistic", "fair")
    return found


@pytest.fixture
def facts(laid) -> dict:
    return copy.deepcopy(model_facts(laid.project, "logistic"))


def section(card: str, heading: str) -> str:
    return card.split(f"## {heading}\n")[1].split("\n## ")[0]


def test_figures_stand_with_intervals_beside_the_baselines(facts):
    test = facts["evaluation"]["splits"]["test"]["clips"]["metrics"]["accuracy"]
    said = section(model_card(facts), "Figures on the frozen test side")
    assert f"| accuracy | 0.800 ({test['low']:.3f} to {test['high']:.3f}) |" in said
    assert "60 clips of 15 source groups" in said
    assert facts["evaluation"]["test_digest"] in said
    assert "| majority | 0.500 " in said
    assert "| +0.300 (" in said


def test_a_counting_rule_is_named_as_what_judges(facts):
    plain = model_card(facts)
    assert "- Threshold: 0.5" in section(plain, "Coverage, calibration, threshold")
    own = {"threshold": 0.8, "count": 10, "mode": "consecutive", "comparison": "ge"}
    facts |= {"kind": "frames", "evaluation": facts["evaluation"] | {"rule": {"own": own, "frames": 20}}}
    card = model_card(facts)
    assert "its counting rule judges the clip" in section(card, "What it is")
    said = section(card, "Coverage, calibration, threshold")
    assert "- Threshold: 10 of 20 frames in a row at 0.8 or more" in said


def test_a_scorer_s_threshold_says_which_clips_gave_it(facts):
    facts["kind"] = "anomaly"
    facts["bundle"] |= {"threshold": 1.25, "calibration": {"kind": "identity", "n": 30, "reason": "scores"}}
    facts["bundle"]["training"] = TRAINING | {"settings": {"normal_quantile": 0.95}}
    said = section(model_card(facts), "Coverage, calibration, threshold")
    assert "- Threshold: 1.25, the 0.95 quantile of 30 normal train clips" in said
    assert "val clips" not in said


def test_settings_that_say_nothing_are_left_out(facts):
    facts["bundle"]["settings"] = {"weights": "none", "weights_dir": "", "weights_sha256": "", "flips": False}
    said = section(model_card(facts), "Training")
    assert "- Settings of the model: weights none; flips no\n" in said


def test_classes_and_the_worst_sources_are_named(facts):
    card = model_card(facts)
    assert "| stalking | 30 | 0.800 (" in section(card, "Classes")
    said = section(card, "Sources that it does worst on")
    assert "Of 15 sources of the test side." in said
    assert said.count("| 0.75 | 4 |") == 5


def test_training_and_digests(facts):
    facts["bundle"]["training"] = TRAINING
    facts["by_gradient"] = True
    said = section(model_card(facts), "Training")
    for line in (
        "- Settings of training: seed 27; epochs 25",
        "- Clips: 14 train, 6 val",
        "- Epochs: 9",
        "- Ended by: budget",
        "- Cut short by its budget: yes",
        f"- Bundle: {digest(read_json_of(facts))}",
    ):
        assert line in said


def test_a_model_in_closed_form_has_no_settings_of_steps(facts):
    facts["bundle"]["training"] = TRAINING | {
        "settings": {"seed": 27, "optimizer": "adam", "calibration": "platt"}
    }
    said = section(model_card(facts), "Training")
    assert "- Settings of training: calibration platt\n" in said
    assert "- Ended by: fitted at once, in closed form" in said
    assert "Epochs" not in said


@pytest.mark.parametrize(
    ("streams", "view", "told"),
    [
        pytest.param(("activations",), {}, set(), id="activations alone"),
        pytest.param(("numbers",), {}, {"Persons cut out by", "Faces found by"}, id="numbers"),
        pytest.param(("frames",), {"background": "black"}, {"Persons cut out by"}, id="persons"),
        pytest.param(("frames",), {"background": "keep"}, set(), id="whole frames"),
    ],
)
def test_networks_are_named_that_made_what_the_model_looks_at(facts, streams, view, told):
    facts["streams"] = streams
    facts["bundle"]["view"] |= {"height": 64, "width": 64, **view}
    said = section(model_card(facts), "What it looks at")
    assert {name for name in ("Persons cut out by", "Faces found by") if name in said} == told


def test_clips_that_later_stages_set_aside_are_counted(laid):
    write_csv(
        laid.project.out("segment", "index.csv"),
        ("clip_id", "status", "reason"),
        [
            {"clip_id": "a", "status": "bad", "reason": "a: its file is gone"},
            {"clip_id": "b", "status": "ok"},
        ],
    )
    short = "Too short for views.pose: {} frames in 1 s"
    write_json(
        laid.project.out("featurize", "coverage.json"),
        {"set_aside": {name: short.format(k) for k, name in enumerate("cde")}},
    )
    said = section(data_card(data_facts(laid.project)), "Left out and doubled")
    shutil.rmtree(laid.project.out("segment"))
    shutil.rmtree(laid.project.out("featurize"))
    for line in (
        "- Clips set aside by ingest: 0",
        "- Clips set aside by extract: 0",
        "- Clips set aside by segment: 1",
        "- Clips set aside by featurize: 3",
        "- Because, by featurize: Too short for views.pose (3)",
    ):
        assert line in said
    said = section(data_card(data_facts(laid.project)), "Left out and doubled")
    assert "- Clips set aside by featurize: not known" in said


def read_json_of(facts: dict) -> dict:
    return {**facts["bundle"], "training": {}}


@pytest.mark.parametrize(
    ("heading", "said"),
    [
        pytest.param("Training", "- Seed: not known", id="training"),
        pytest.param("Cost", "Not measured", id="cost"),
        pytest.param("Figures over all folds", "The protocol has no folds", id="folds"),
        pytest.param("Weights of others", "Not known.", id="weights"),
    ],
)
def test_what_is_not_known_is_said_so(facts, heading, said):
    assert said in section(model_card(facts), heading)


def test_a_model_that_is_no_challenger_was_not_asked(laid):
    said = section(model_card(model_facts(laid.project, "majority")), "Verdict of the gate")
    assert "Not asked" in said


def test_the_verdict_has_its_reasons_and_who_answers_for_it(facts):
    facts["verdict"] = facts["verdict"] | {"decision": "HOLD", "champion": 3, "approved_by": "Ann | Example"}
    said = section(model_card(facts), "Verdict of the gate")
    assert "**HOLD** against version 3, approved by Ann" in said
    assert "| test source groups | passed | 15 | at least 4 |" in said


def test_figures_over_folds_with_their_spread(facts):
    found = {"value": 0.75, "low": 0.7, "high": 0.8, "mean": 0.74, "spread": 0.05}
    facts["evaluation"]["folds"] = {
        "folds": 5,
        "seeds": [1, 2],
        "n": 238,
        "n_groups": 60,
        "metrics": {"accuracy": found},
        "confusion": [[80, 39], [20, 99]],
    }
    said = section(model_card(facts), "Figures over all folds")
    assert "5 folds under seeds 1, 2, by group: 238 clips of 60 source groups" in said
    assert "| accuracy | 0.750 (0.700 to 0.800) | 0.74 | 0.05 |" in said
    facts["fold_strategy"] = "random"
    assert "a leak" in section(model_card(facts), "Figures over all folds")


def test_cost_is_that_of_this_bundle(laid, facts):
    cost = {
        "multiply_adds": 145,
        "p50_ms": 1.5,
        "p95_ms": 2.0,
        "calls": 100,
        "peak_bytes": 5e8,
        "parameters": 9,
    }
    write_json(laid.project.state("costs", f"{'0' * 32}-m.json"), cost | {"calls": 7})
    assert model_facts(laid.project, "logistic")["cost"] is None
    path = laid.project.state("costs", f"{facts['digest'][:32]}-m.json")
    write_json(path, cost)
    card = model_card(model_facts(laid.project, "logistic"))
    path.unlink()
    assert "p50 1.5 ms, p95 2 ms, 100 calls" in section(card, "Cost")


def test_weights_have_their_licence(facts):
    name = next(iter(WEIGHTS))
    facts["bundle"]["digests"]["weights"] = {name: "a" * 64, "vgg16.h5": "b" * 64}
    said = section(model_card(facts), "Weights of others")
    assert f"| {name} | {WEIGHTS[name].licence} | {'a' * 64} |" in said
    assert f"| vgg16.h5 | not known | {'b' * 64} |" in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"split": "random"}, "figures are too good for new sources", id="random split"),
        pytest.param({"torn": 1}, "figures are too good for new sources", id="a given split tears a source"),
        pytest.param({"bundle": {"training": TRAINING}}, "The budget of steps ended", id="cut short"),
        pytest.param({"bundle": {"training": TRAINING}}, "may have learned nothing", id="its own warnings"),
    ],
)
def test_limits_that_depend_on_the_run(facts, change, said):
    whole = facts | {"torn": 0}
    assert not any(said in limit for limit in limits(whole))
    assert any(said in limit for limit in limits(whole | change))


def test_sources_on_several_sides_are_told_whatever_the_strategy(laid, facts):
    assert (facts["split"], facts["torn"]) == ("group", 1)
    assert "Clips of one source lie on several sides" in section(model_card(facts), "Limits")
    told = data_facts(laid.project)
    assert "Clips of one source lie on several sides" in data_card(told)
    told["clips"]["torn"] = 0
    assert "several sides" not in data_card(told)


@pytest.mark.parametrize(
    ("low", "at_chance"),
    [
        pytest.param(0.51, False, id="above"),
        pytest.param(0.5, True, id="reaches it"),
        pytest.param(None, True, id="no interval"),
    ],
)
def test_figures_at_chance_are_said_to_be(facts, low, at_chance):
    facts["evaluation"]["splits"]["test"]["clips"]["metrics"]["accuracy"]["low"] = low
    assert any("**At chance**: test accuracy" in limit for limit in limits(facts)) is at_chance


def test_the_data_card_says_what_ingest_found(laid):
    card = data_card(data_facts(laid.project) | {"ingest": REPORT, "licence": "LICENSE says: MIT"})
    assert "| stalking | 5 of 3 sources | 5 of 3 sources | 30 of 15 sources | 40 | 20 |" in card
    left_out = section(card, "Left out and doubled")
    for line in ("Unreadable files: 1", "Pairs of near-duplicates: 2", "Named and not there: 1"):
        assert line in left_out
    tells = section(card, "What tells the label")
    assert "**size tells the label**: all 20 clips of 320x240 are stalking" in tells
    assert "- the data set's own split has no val side" in tells
    assert "| size | 1 | 0.5 | 2 |" in tells
    assert section(card, "Licence").strip() == "LICENSE says: MIT."


@pytest.mark.parametrize("heading", ["Pictures", "What tells the label", "Coverage", "Licence"])
def test_what_no_stage_has_said_of_the_data_is_not_known(laid, heading):
    facts = data_facts(laid.project) | {"decoded": None}
    assert section(data_card(facts), heading).strip() == "Not known."


@pytest.mark.parametrize(
    ("blurred", "said"),
    [pytest.param(True, "Faces are blurred", id="yes"), pytest.param(False, "**not**", id="no")],
)
def test_whether_faces_are_blurred(laid, blurred, said):
    assert said in section(data_card(data_facts(laid.project) | {"blurred": blurred}), "Personal data")


def test_lengths_sizes_and_rates_are_the_decoders(tmp_path, laid):
    row = {"sampling": "five", "width": 320, "height": 240, "average_rate": "30000/1001", "codec": "h264"}
    rows = [
        {"clip_id": "a", "status": "ok", "span_s": 2.0, **row},
        {"clip_id": "b", "status": "partial", "span_s": 4.0, **row},
        {"clip_id": "b", "status": "partial", "span_s": 4.0, **row, "sampling": "ten"},
        {"clip_id": "c", "status": "bad", "reason": "no frames"},
    ]
    write_csv(tmp_path / "index.csv", COLUMNS, rows)
    said = section(
        data_card(data_facts(laid.project) | {"decoded": decoded_facts(tmp_path / "index.csv")}), "Pictures"
    )
    for line in (
        "Clips decoded: 2",
        "Not decodable: 1",
        "Decodable in part: 1",
        "Length: 2.00 to 4.00 s, median 3.00 s",
        "Sizes in pixels: 320x240 (2)",
        "Frames a second: 30000/1001 (2)",
    ):
        assert f"- {line}\n" in f"{said}\n"


def test_cards_name_no_machine_and_no_place_on_it(laid, monkeypatch):
    monkeypatch.setattr(platform, "node", lambda: "machine-of-its-own")
    report = laid.project.out("ingest", "report.json")
    places = f"{laid.root}/clips/x.mp4 and /data/secret/weights.h5 and s3://bucket/clips"
    write_json(report, REPORT | {"warnings": [places]})
    texts = [text.decode() for text in cards(laid.project, "logistic").values()]
    report.unlink()
    for text in texts:
        assert str(laid.root) not in text
        assert "/data/secret" not in text
        assert "machine-of-its-own" not in text
    assert "weights.h5 and s3://bucket/clips" in texts[1]


def test_the_same_run_gives_the_same_bytes(laid):
    assert cards(laid.project, "logistic") == cards(Project.open(Path(laid.root)), "logistic")


def test_tags_point_at_the_run():
    assert card_tags("abc") == {
        "tailwatch.model_card": "runs:/abc/model_card.md",
        "tailwatch.data_card": "runs:/abc/data_card.md",
    }


def test_a_table_cell_of_others_stays_in_its_cell(facts):
    facts["sources"]["worst"][0]["source"] = "film|5\n## Verdict <b>"
    said = section(model_card(facts), "Sources that it does worst on")
    assert "| film\\|5\\n## Verdict &lt;b> |" in said
