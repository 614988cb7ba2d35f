"""vary: tables and charts of variations, from the trainings that train does."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from click.testing import CliRunner

from components.core.errors import BadDataError, FinalError, UsageError
from pipelines import train, trainings, vary
from pipelines.artifacts import Project
from pipelines.cli import cli
from pipelines.reporting.variations import read_table, variations_section
from pipelines.tasks import read_work
from tests.pipelines.test_train import folded, laid  # noqa: F401

OVER = ["c=0.5,2.0"]


@pytest.fixture
def learned(monkeypatch) -> list:
    """Every task that is learned, in order."""
    tasks, real = [], trainings.learn
    monkeypatch.setattr(trainings, "learn", lambda task, *rest: tasks.append(task) or real(task, *rest))
    return tasks


def test_a_row_for_each_combination_on_the_holdout_split(laid, learned):  # noqa: F811
    path = vary.run(laid.project, "logistic", OVER)
    assert path == laid.project.root / "reports" / "variations" / "logistic-c.csv"
    rows = {row["settings"]["c"]: row for row in read_table(path)}
    assert [task.settings.c for task in learned] == [0.5, 2.0]
    row = rows["0.5"]
    assert (row["model"], row["protocol"], row["trainings"]) == ("logistic", "holdout", 1)
    assert (row["train_clips"], row["val_n"], row["test_n"]) == (14, 6, 2)
    assert (row["epochs"], row["cut_short"]) == (1, 0)
    assert row["val_accuracy"] == 1.0
    assert row["val_accuracy_spread"] is None
    assert not laid.project.out("train").exists()


def test_figures_are_those_of_the_bundle_that_train_makes(laid):  # noqa: F811
    from components.models.bundle import read_bundle

    path = vary.run(laid.project, "logistic", OVER)
    train.run(laid.project, "logistic")
    work = read_work(laid.project, "logistic")
    bundle = read_bundle(laid.project.out("train", "logistic"))
    for side in ("val", "test"):
        said = bundle.predict(None, work.tensors["numbers"], work.rows[side])
        right = (said.predicted == work.task.labels[work.rows[side]]).mean()
        row = next(row for row in read_table(path) if row["settings"]["c"] == "0.5")
        assert row[f"{side}_accuracy"] == pytest.approx(right)


def test_a_network_says_its_epochs_and_whether_it_was_cut_short(laid):  # noqa: F811
    over = ["train.optimizer=adam,sgd", "train.max_steps=3,null"]
    path = vary.run(laid.project, "fusion", over)
    rows = {tuple(row["settings"].values()): row for row in read_table(path)}
    assert path.name == "fusion-train.optimizer-train.max_steps.csv"
    assert [(rows["sgd", steps]["epochs"], rows["sgd", steps]["cut_short"]) for steps in ("3", "null")] == [
        (1, 1),
        (2, 0),
    ]
    assert {row["test_n"] for row in rows.values()} == {2}
    assert not list(laid.project.state("checkpoints").iterdir())


def test_a_killed_sweep_goes_on_where_it_was(laid, learned, monkeypatch):  # noqa: F811
    real = vary.describe

    def killed(project, trained):
        if project.params.models["logistic"]["c"] == 2.0:
            raise KeyboardInterrupt
        return real(project, trained)

    monkeypatch.setattr(vary, "describe", killed)
    with pytest.raises(KeyboardInterrupt):
        vary.run(laid.project, "logistic", OVER)
    monkeypatch.setattr(vary, "describe", real)
    path = vary.run(laid.project, "logistic", ["c=0.5,2.0,4.0"])
    assert [task.settings.c for task in learned] == [0.5, 2.0, 4.0]
    assert [row["epochs"] for row in read_table(path)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("over", "seed"),
    [
        pytest.param("c=4.0", 27, id="other values"),
        pytest.param("c=0.5,2.0", 28, id="the same values under another setting"),
    ],
)
def test_another_sweep_over_the_same_settings_has_a_table_of_its_own(laid, over, seed):  # noqa: F811
    first = vary.run(laid.project, "logistic", OVER)
    kept = first.read_bytes()
    params = laid.project.params
    other = replace(laid.project, params=replace(params, train=replace(params.train, seed=seed)))
    second = vary.run(other, "logistic", [over])
    assert (first.name, second.name) == ("logistic-c.csv", "logistic-c-2.csv")
    assert first.read_bytes() == kept
    assert vary.run(other, "logistic", [f"{over},8.0"]) == second
    assert {entry["name"] for entry in variations_section(laid.project)} == {"logistic-c", "logistic-c-2"}


def test_a_network_that_cannot_be_built_is_refused_before_anything_is_trained(laid, learned):  # noqa: F811
    too_deep = ", ".join(["2"] * 7)
    with pytest.raises(UsageError, match="Model `fusion` cannot be built"):
        vary.run(laid.project, "fusion", [f"filters=[2, 2],[{too_deep}]"])
    assert learned == []


def test_folds_that_train_did_are_not_done_again(folded, learned):  # noqa: F811
    train.run(folded.project, "logistic")
    done = len(learned)
    path = vary.run(folded.project, "logistic", ["c=0.5,2.0"])
    assert len(learned) == done + 4
    row = next(row for row in read_table(path) if row["settings"]["c"] == "0.5")
    assert (row["protocol"], row["trainings"]) == ("kfold", 4)
    assert row["test_n"] == sum(bool(label.parts) for label in folded.labels.values())
    assert row["test_accuracy_spread"] is not None


def test_folds_kept_without_their_epochs_are_said_so(folded, monkeypatch):  # noqa: F811
    monkeypatch.setattr(trainings, "TOLD", ())
    train.run(folded.project, "logistic")
    monkeypatch.undo()
    row = read_table(vary.run(folded.project, "logistic", ["c=0.5"]))[0]
    assert (row["epochs"], row["cut_short"]) == (None, None)


def test_shares_learn_from_fewer_groups_and_are_judged_on_the_same_clips(laid, learned):  # noqa: F811
    path = vary.run(laid.project, "logistic", ["share=0.3,0.6,1.0"])
    small, middle, whole = learned
    assert set(small.train_rows) < set(middle.train_rows) < set(whole.train_rows)
    assert list(whole.train_rows) == list(read_work(laid.project, "logistic").task.train_rows)
    rows = sorted(read_table(path), key=lambda row: row["train_clips"])
    assert [row["train_groups"] for row in rows] == sorted({row["train_groups"] for row in rows})
    assert {row["test_n"] for row in rows} == {2}
    assert len({row["key"] for row in rows}) == 3
    assert "clips learned from" in path.with_suffix(".svg").read_text()


def test_the_whole_share_is_the_training_itself(folded):  # noqa: F811
    work = read_work(folded.project, "logistic", "fold-0-of-seed-1")
    assert vary.work_of_share(work, 1.0).key == work.key
    assert vary.work_of_share(work, 0.5).key != work.key


def test_a_combination_of_which_nothing_comes_has_its_reason(laid, monkeypatch):  # noqa: F811
    real = vary.train_and_ask

    def diverges(project, work, effort):
        if work.task.settings.c == 2.0:
            raise FinalError("the loss is no number", wanted="-", remedy="-")
        return real(project, work, effort)

    monkeypatch.setattr(vary, "train_and_ask", diverges)
    rows = read_table(vary.run(laid.project, "logistic", OVER))
    assert [(row["settings"]["c"], row["failed"]) for row in rows] == [
        ("0.5", ""),
        ("2.0", "the loss is no number"),
    ]
    section = variations_section(laid.project)
    assert section[0]["chart"].count('class="dot') == 1


def test_data_that_do_not_fit_end_the_sweep(laid):  # noqa: F811
    for clip_id, label in list(laid.labels.items()):
        if label.holdout == "val":
            laid.labels[clip_id] = replace(label, label="stalking")
    laid.write_labels()
    with pytest.raises(BadDataError, match="none of class non_stalking"):
        vary.run(laid.project, "logistic", OVER)


@pytest.mark.parametrize(
    ("over", "said"),
    [
        pytest.param(["c=0.5,2.0"], "Test accuracy with intervals", id="sweep"),
        pytest.param(["share=0.5,1.0"], "Shares are of source groups", id="learning curve"),
        pytest.param(["c=0.5,2.0", "share=0.5,1.0"], "test, 2.0", id="both"),
    ],
)
def test_the_report_shows_what_lies_there(laid, over, said):  # noqa: F811
    path = vary.run(laid.project, "logistic", over)
    ET.parse(path.with_suffix(".svg"))  # noqa: S314
    page = _section(laid.project)
    assert said in page
    assert "Choose among variations by val, never by test" in page
    assert page.count("best on val") >= 1


def _section(project: Project) -> str:
    """The section alone, as the page includes it."""
    import jinja2

    from pipelines import report

    entries = variations_section(project)
    source = (report.TEMPLATES / "report.html").read_text().split("{% macro picture")[0]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(report.TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {"share": report.as_share}
    template = environment.from_string(source + '{% include "report_variations.html" %}')
    return template.render(
        variations=entries,
        charts={"variations": {entry["name"]: entry["chart"] for entry in entries}},
    )


def test_without_tables_there_is_no_section(laid):  # noqa: F811
    assert variations_section(laid.project) == []


def test_the_command_prints_the_table_the_best_on_val_first(laid):  # noqa: F811
    done = CliRunner().invoke(cli, ["-C", str(laid.project.root), "vary", "logistic", "--over", "c=0.5,2"])
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0].split()[:3] == ["c", "train_clips", "epochs"]
    assert "never by test" in done.stdout
