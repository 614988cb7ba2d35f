"""report: the page and its pictures, from a small project whose stages up to normalize have really run."""

import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import av
import cv2
import matplotlib.cbook
import numpy as np
import pytest
from skimage import data

from components.core.errors import BadDataError
from components.core.files import read_json, write_json
from components.core.tables import read_csv, write_csv
from components.evaluation import tuning
from components.evaluation.folds import summarise_folds
from components.evaluation.predictions import ClipPredictions, columns, from_rows, to_rows
from components.evaluation.scoring import Scoring
from components.evaluation.settings import BootstrapSettings, EvaluateSettings
from components.evaluation.summary import summarise
from components.models.counting_rule import RuleSettings
from components.serving.blurring import all_detectors
from pipelines import compare, extract, featurize, ingest, normalize, report, segment
from pipelines.artifacts import Project, read_labels
from pipelines.reporting import pictures as report_pictures
from pipelines.reporting.doubts import doubts_section

CLASSES = ("walking", "following")
PARAMS = """
dataset: {root: clips, classes: [walking, following]}
split: {strategy: given}
samplings: {two: {kind: uniform, frames: 2}}
segment: {backend: none}
featurize: {sampling: two, detector: blazeface, landmarks: mediapipe}
views: {numbers: {sampling: two, numbers: true}}
models: {majority: {view: numbers, runs_on: cpu}, logistic: {view: numbers, runs_on: cpu}}
evaluate: {bootstrap: {samples: 100}}
compare: {baselines: [majority], bootstrap: {samples: 100}}
gate: {samples: 100}
report: {clips_per_class: 1}
resources: {cpu: {pool: cpu, cpu: 2, memory: 8Gi, gpu: 0, minutes: 10, retries: 1}}
"""
SPLITS = ("train", "val", "test", "test")
STRAY = "pictures/of-an-earlier-state.jpg"


def write_film(path: Path, left: np.ndarray, right: np.ndarray, shade: int) -> None:
    """Eight frames of two persons side by side before a wall of some shade."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=8, options={"crf": "18"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for k in range(8):
            picture = np.full((180, 320, 3), shade, np.uint8)
            picture[:, 4 * k : 150 + 4 * k] = left
            picture[:, 166:316] = right
            film.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        film.mux(stream.encode())


def photographs() -> tuple[np.ndarray, np.ndarray]:
    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as stream:
        hopper = cv2.imdecode(np.frombuffer(stream.read(), np.uint8), cv2.IMREAD_COLOR)[:512, :, ::-1]
    return tuple(cv2.resize(picture, (150, 180)) for picture in (data.astronaut()[:400, 60:400], hopper))


def write_evaluation(project: Project, model: str, predicted: list[int], sure: float) -> None:
    """What evaluate writes, for one prediction per clip."""
    labels = read_labels(project)
    clip_ids = sorted(labels)
    of = [labels[clip_id] for clip_id in clip_ids]
    chosen = np.array(predicted)
    probabilities = np.where(np.eye(2)[chosen] > 0, sure, 1 - sure)
    table = ClipPredictions(
        np.array(clip_ids),
        np.array([label.holdout for label in of]),
        np.array([label.source for label in of]),
        np.array([CLASSES.index(label.label) for label in of]),
        chosen,
        probabilities,
        probabilities,
        np.full(len(clip_ids), 0.75),
        CLASSES,
    )
    folder = project.out("evaluate", model)
    splits = {}
    for split in ("train", "val", "test"):
        summary = summarise(table.of_split(split).scored(), BootstrapSettings(100)) | {"coverage": 0.75}
        splits[split] = {"clips": summary, "covered_clips": summary, "frames": None}
    facts = {"view": {}, "threshold": 0.5, "parameters": 4052204, "absent": [], "test_digest": "one"}
    write_json(folder / "evaluation.json", {"model": model, "classes": CLASSES, "splits": splits} | facts)
    write_csv(folder / "predictions.csv", columns(CLASSES), to_rows(table))
    write_csv(folder / "folds.csv", ("seed", *columns(CLASSES)), ())
    curve = [{"class": "following", "x": 0, "y": 0}, {"class": "following", "x": 1, "y": 1}]
    for name, x, y in (("roc", "fpr", "tpr"), ("pr", "recall", "precision")):
        write_csv(
            folder / f"{name}.csv",
            ("class", x, y),
            [{"class": c["class"], x: c["x"], y: c["y"]} for c in curve],
        )
    row = {"probability": 0.8, "frequency": 0.5, "low": 0.1, "high": 0.9, "n": 4}
    write_csv(folder / "calibration.csv", tuple(row), [row])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Eight clips of four films, measured; majority and logistic judged and compared."""
    root = tmp_path_factory.mktemp("project")
    (root / "params.yaml").write_text(PARAMS)
    left, right = photographs()
    rows = []
    for i in range(8):
        name, film = f"{CLASSES[i % 2]}/clip{i}.mp4", i // 2
        persons = (left, right) if i % 2 else (right, left)
        write_film(root / "clips" / name, *persons, shade=40 + 22 * i)
        rows.append({"clip": name, "label": CLASSES[i % 2], "source": f"film<{film}>", "split": SPLITS[film]})
    write_csv(root / "clips" / "clips.csv", tuple(rows[0]), rows)
    opened = Project.open(root)
    for stage in (ingest, extract, segment, featurize, normalize):
        stage.run(opened)
    write_evaluation(opened, "majority", [0] * 8, 0.6)
    write_evaluation(opened, "logistic", [1, 1, 1, 0, 0, 0, 0, 0], 0.9)
    history = [
        {"epoch": k, "loss": 1 / k, "val_loss": 1.1 / k, "accuracy": 0.5, "val_accuracy": 0.5} for k in (1, 2)
    ]
    write_csv(opened.out("train", "logistic", "history.csv"), tuple(history[0]), history)
    compare.run(opened)
    return opened


@pytest.fixture(scope="module")
def page(project: Project) -> Path:
    """The page, drawn where an earlier one lay."""
    stray = project.root / "reports" / STRAY
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"")
    return report.run(project)


class Outline(HTMLParser):
    """What a page refers to, and whether its elements close."""

    VOID = ("meta", "img", "br", "path", "circle", "rect", "line", "link")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.sources: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids += [values["id"]] if values.get("id") else []
        self.sources += [values["src"]] if values.get("src") else []
        self.links += [values["href"]] if values.get("href") else []
        if tag not in self.VOID or tag in ("path", "circle", "rect", "line"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone(page):
    text = page.read_text()
    outline = Outline(text)
    assert outline.open == []
    assert {
        "verdict",
        "models",
        "costs",
        "paired",
        "curves",
        "data",
        "coverage",
        "clips",
        "suspects",
        "mistakes",
        "embedding",
        "importance",
    } <= set(outline.ids)
    assert all(link.startswith("#") and link[1:] in outline.ids for link in outline.links)
    assert outline.sources
    assert all((page.parent / source).is_file() for source in outline.sources)
    assert "<script" not in text
    assert not re.search(r"""(src|href|url)\s*[=(]\s*["']?https?:""", text)


def test_every_picture_is_on_the_page_and_holds_no_face(project, page):
    find = all_detectors()
    pictures = sorted((page.parent / "pictures").iterdir())
    assert {f"pictures/{path.name}" for path in pictures} == set(Outline(page.read_text()).sources)
    shown = [cv2.imread(str(path))[:, :, ::-1] for path in pictures]
    assert all(find(np.ascontiguousarray(picture)) == [] for picture in shown)
    clip = next(iter((project.root / "clips").rglob("*.mp4")))
    with av.open(str(clip)) as film:
        frame = next(film.decode(video=0)).to_ndarray(format="rgb24")
    assert find(frame), "the clips must hold faces to begin with"


def test_the_verdict_and_its_reasons_are_told(project, page):
    text = page.read_text()
    verdict = read_json(project.out("compare", "comparison.json"))["verdict_without_champion"]
    assert f"{verdict['decision']}</span>" in text
    for reason in verdict["reasons"]:
        assert reason["measured"] in text


def test_every_compared_number_has_its_n_and_interval(page):
    (row,) = re.findall(r"<tr class=\"challenger\">.*?</tr>", page.read_text(), re.DOTALL)
    assert "0.500" in row
    assert row.count("–") >= 2
    assert "<td>4<small>2</small></td>" in row, "four clips of two groups"


def test_confusion_has_the_classes_in_their_order(page):
    table = re.search(r"<table class=\"confusion\">.*?</table>", page.read_text(), re.DOTALL)[0]
    assert re.findall(r"says (\w+)", table) == list(CLASSES)
    assert re.findall(r">(\d+)<small>", table) == ["2", "0", "2", "0"]  # majority says walking of everything


def test_papers_are_quoted_not_compared(page):
    text = page.read_text()
    rows = re.findall(r"<tr class=\"quoted\">.*?</tr>", text, re.DOTALL)
    assert len(rows) == 5
    assert all("quoted</small>" in row for row in rows)


def test_names_from_the_data_set_are_escaped(page):
    text = page.read_text()
    assert "film&lt;0&gt;" in text
    assert "film<0>" not in text


def test_no_picture_of_an_earlier_state_is_left(page):
    assert not (page.parent / STRAY).exists()


def test_clips_that_are_gone_are_told(moved):
    text = report.run(Project.open(moved)).read_text()
    assert "No picture: " in text
    assert Outline(text).sources == []


def write_folds(project: Project, model: str) -> None:
    """The test clips of `write_evaluation` as two folds, one of each film."""
    folder = project.out("evaluate", model)
    table = from_rows(read_csv(folder / "predictions.csv"), CLASSES).of_split("test")
    of_films = [table.where(table.groups == film) for film in ("film<2>", "film<3>")]
    parts = [(27, replace(part, splits=np.full(2, f"fold-{k}"))) for k, part in enumerate(of_films)]
    rows = [{"seed": seed} | row for seed, part in parts for row in to_rows(part)]
    write_csv(folder / "folds.csv", ("seed", *columns(CLASSES)), rows)
    found = {"folds": summarise_folds(parts, BootstrapSettings(100))}
    write_json(folder / "evaluation.json", read_json(folder / "evaluation.json") | found)


@pytest.fixture
def moved(project, tmp_path) -> Path:
    """The project without its clips, so that a page is drawn at once."""
    root = tmp_path / "moved"
    shutil.copytree(project.root, root, ignore=shutil.ignore_patterns("store", "reports", "*.mp4"))
    return root


def test_a_given_split_that_tears_a_source_is_told(moved):
    table = moved / "outs/ingest/labels.csv"
    rows = read_csv(table)
    torn = [row | {"source": "film<0>"} if row["source"] == "film<2>" else row for row in rows]
    write_csv(table, tuple(rows[0]), torn)
    text = report.run(Project.open(moved)).read_text()
    assert "film&lt;0&gt;</th><td>train, test</td>" in text
    assert "Clips of one source lie on several sides: results are too good." in text


@pytest.mark.parametrize(
    ("strategy", "told"),
    [
        pytest.param("group", "Folds are by source group", id="by source group"),
        pytest.param("random", "Folds are random: a leak", id="random leaks"),
    ],
)
def test_all_folds_are_a_section(moved, strategy, told):
    (moved / "params.yaml").write_text(f"{PARAMS}\nprotocol: {{kind: kfold, folds: 2, strategy: {strategy}}}")
    opened = Project.open(moved)
    for model in ("majority", "logistic"):
        write_folds(opened, model)
    write_json(opened.out("train", "logistic", "bundle.json"), {"training": {"cut_short": True}})
    trained = [{"split": f"fold-{k}", "seed": 27, "cut_short": k} for k in (0, 1)]
    write_csv(opened.out("train", "logistic", "folds.csv"), tuple(trained[0]), trained)
    compare.run(opened)
    text = report.run(opened).read_text()
    outline = Outline(text)
    assert outline.open == []
    assert "folds" in outline.ids
    assert "#folds" in outline.links
    section = re.search(r"<section id=\"folds\">.*?</section>", text, re.DOTALL)[0]
    assert told in section
    assert "<b>logistic</b> (1 of 2 trainings on folds, the holdout split's)." in section
    assert "<small>1 of 2 cut short</small>" in section
    assert 'tie">tie</b>' in section
    assert section.count("✕ always wrong") == 0
    assert "<h3>logistic by source</h3>" in section
    assert "film&lt;2&gt;" in section
    assert "is missing or was written without it: majority." in section


def write_scores(project: Project, model: str) -> None:
    """A scorer of anomalies in place of a classifier: clip i has the frame scores i and i + 2."""
    folder = project.out("evaluate", model)
    table = from_rows(read_csv(folder / "predictions.csv"), CLASSES)
    nothing = np.full((8, 2), np.nan)
    scored = replace(table, scores=np.arange(8.0), probabilities=nothing, raw=nothing)
    write_csv(folder / "predictions.csv", columns(CLASSES), to_rows(scored))
    frames = [
        {"clip_id": clip_id, "k": k, "score": i + 2 * k}
        for i, clip_id in enumerate(table.clip_ids)
        for k in (0, 1)
    ]
    write_csv(folder / "frames.csv", tuple(frames[0]), frames)
    summary = read_json(folder / "evaluation.json")
    test = summarise(scored.of_split("test").scored(), BootstrapSettings(100)) | {"coverage": 1.0}
    summary["splits"]["test"] = {"clips": test, "covered_clips": test, "frames": test}
    write_json(folder / "evaluation.json", summary)


def write_rule(project: Project, model: str, limit: float | None, own: RuleSettings | None = None) -> None:
    """What evaluate says of alarms, each clip lasting a minute; the train side stands in for validation."""
    folder = project.out("evaluate", model)
    clips = from_rows(read_csv(folder / "predictions.csv"), CLASSES)
    clips = replace(clips, splits=np.where(clips.splits == "train", "val", clips.splits))
    settings = EvaluateSettings(BootstrapSettings(100), limit)
    frames = None if own is None else np.repeat(clips.probabilities[:, None], 2, axis=1)
    scoring = Scoring(clips, frames, (), times_s=np.tile([0.5, 1.5], (len(clips.labels), 1)))
    rule, points = tuning.tune(scoring, dict.fromkeys(clips.clip_ids, 1 / 60), settings, own)
    write_json(folder / "evaluation.json", read_json(folder / "evaluation.json") | {"rule": rule})
    write_csv(folder / "rules.csv", tuning.COLUMNS, tuning.to_rows(points))


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        pytest.param(1.0, "So the limit asks for no alarm there at all", id="too little video"),
        pytest.param(60.0, "no more than 60 false alarms per hour", id="enough"),
        pytest.param(None, "is null, so none is", id="none asked for"),
    ],
)
def test_alarms_are_a_section(moved, limit, told):
    opened = Project.open(moved)
    write_evaluation(opened, "logistic", [1, 0, 1, 0, 0, 1, 0, 1], 0.9)
    for model in ("majority", "logistic"):
        write_rule(opened, model, limit)
    compare.run(opened)
    text = report.run(opened).read_text()
    outline = Outline(text)
    assert outline.open == []
    assert "#alarms" in outline.links
    section = re.search(r"<section id=\"alarms\">.*?</section>", text, re.DOTALL)[0]
    assert told in section
    assert ("So the limit" in section) == (limit == 1.0)
    assert "a rate under <b>60</b> an hour cannot be told from none" in section
    assert section.count("<td>clip at ") == (0 if limit is None else 1 if limit < 60 else 2)


def test_when_a_models_own_rule_sounds_on_test(moved):
    opened = Project.open(moved)
    write_evaluation(opened, "logistic", [1, 0, 1, 0, 0, 1, 0, 1], 0.9)
    write_rule(opened, "majority", None)
    write_rule(opened, "logistic", None, RuleSettings(80.0, 2, "consecutive", "ge", 500, CLASSES[:1]))
    compare.run(opened)
    page = report.run(opened).read_text()
    assert Outline(page).open == []
    section = re.search(r"<section id=\"alarms\">.*?</section>", page, re.DOTALL)[0]
    told = from_rows(
        read_csv(opened.out("evaluate", "logistic", "predictions.csv"), columns(CLASSES)), CLASSES
    )
    sounding = (told.splits == "test") & (told.predicted == 1)
    assert f"own rule of logistic sounds on test: {sounding.sum()} stretches" in section
    assert section.count("<td>0.5 s</td><td>2.5 s</td><td>2</td>") == sounding.sum() > 1
    assert "own rule of majority" not in section


def test_a_page_of_evaluations_without_alarms(page):
    assert "alarms" not in Outline(page.read_text()).ids


def test_scores_of_anomalies_are_a_section(moved):
    named = PARAMS.replace(
        "logistic: {view: numbers, runs_on: cpu}",
        "logistic: {view: numbers, runs_on: cpu}, one_class_svm: {view: numbers, runs_on: cpu}",
    )
    (moved / "params.yaml").write_text(named)
    opened = Project.open(moved)
    write_evaluation(opened, "one_class_svm", [0, 1] * 4, 0.9)
    write_scores(opened, "one_class_svm")
    compare.run(opened)
    text = report.run(opened).read_text()
    outline = Outline(text)
    assert outline.open == []
    assert "#anomalies" in outline.links
    section = re.search(r"<section id=\"anomalies\">.*?</section>", text, re.DOTALL)[0]
    assert "of 2 at or above the threshold 0.5</title>" in section
    assert "following/clip" in section
    assert "film&lt;" in section
    models = re.search(r"<section id=\"models\">.*?</section>", text, re.DOTALL)[0]
    assert re.search(r"<b>one_class_svm</b> may have learned nothing: its ROC AUC of \d\.\d+", models)


def test_what_training_doubts_of_a_classifier_is_told(moved):
    opened = Project.open(moved)
    training = {"warnings": ["it says the same of every validation clip"]}
    write_json(opened.out("train", "logistic", "bundle.json"), {"training": training})
    told = doubts_section(opened, read_json(opened.out("compare", "comparison.json")))
    assert told == [{"model": "logistic", "sign": training["warnings"][0]}]


def test_the_page_does_not_say_where_the_data_lie(moved):
    (moved / "params.yaml").write_text(PARAMS.replace("root: clips", f"root: {moved}/clips"))
    text = report.run(Project.open(moved)).read_text()
    assert str(moved) not in text
    assert "of the data set <code>clips</code>" in text


def test_failures_are_told_with_truth_answer_and_source(page):
    section = re.search(r"<section id=\"mistakes\">.*?</section>", page.read_text(), re.DOTALL)[0]
    assert "1 of 4 test clips" in section
    (wrong, right) = section.split("right, and least sure")
    assert (wrong.count("90 %"), right.count("90 %")) == (1, 3)
    assert 'is <span class="tag c1">following</span>, called <span class="tag c0">walking</span>' in wrong
    assert "film&lt;3&gt;" in wrong


def test_explanations_that_are_not_possible_say_why(page):
    text = page.read_text()
    for name in ("embedding", "importance"):
        section = re.search(rf"<section id=\"{name}\">.*?</section>", text, re.DOTALL)[0]
        assert "there is no bundle in outs/train" in section


def test_costs_that_are_not_known_say_why(page):
    section = re.search(r"<section id=\"costs\">.*?</section>", page.read_text(), re.DOTALL)[0]
    assert "<li>majority: costs are not known: there is no bundle in outs/train</li>" in section
    (row,) = re.findall(r"<tr>\s*<th scope=\"row\">majority</th>.*?</tr>", section, re.DOTALL)
    assert row.count("<td>–</td>") == 7


@pytest.mark.parametrize("section", ["folds", "anomalies", "occlusion"])
def test_what_there_is_not_has_no_section(page, section):
    outline = Outline(page.read_text())
    assert section not in outline.ids
    assert f"#{section}" not in outline.links


def test_without_a_comparison_it_says_what_to_run(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    with pytest.raises(BadDataError, match="run `dvc repro`"):
        report.run(Project.open(tmp_path))


@pytest.mark.parametrize(
    ("render", "value", "text"),
    [
        pytest.param(report.as_share, 0.8958, "0.896", id="share"),
        pytest.param(report.as_share, None, "–", id="undefined"),
        pytest.param(report.as_signed, -0.25, "−0.250", id="difference"),
        pytest.param(report.as_number, 0.0004, "< 0.001", id="tiny p"),
        pytest.param(report.as_count, 4052204, "4\u202f052\u202f204", id="parameters"),
        pytest.param(report.as_scaled, 209_600_000, "210\u202fM", id="multiply-adds"),
        pytest.param(report.as_scaled, 91_667_300_000, "91.7\u202fG", id="many multiply-adds"),
        pytest.param(report.as_scaled, 145, "145", id="few multiply-adds"),
        pytest.param(report.as_scaled, None, "–", id="not counted"),
        pytest.param(report.as_ms, 0.01234, "0.0123\u202fms", id="fast"),
        pytest.param(report.as_ms, 1234.5, "1234\u202fms", id="slow"),
        pytest.param(report.as_duration, 41.26, "41.3\u202fs", id="seconds"),
        pytest.param(report.as_duration, 3000, "50\u202fmin", id="minutes"),
        pytest.param(report.as_duration, 9000, "2\u202fh 30\u202fmin", id="hours"),
    ],
)
def test_numbers_on_the_page(render, value, text):
    assert render(value) == text


@pytest.mark.parametrize(
    ("looks_until_none", "is_grey"),
    [pytest.param(3, False, id="painted over"), pytest.param(10**9, True, id="found whatever is done")],
)
def test_a_picture_in_which_a_face_stays_is_never_written(tmp_path, looks_until_none, is_grey):
    looks = iter(range(10**9))

    def find(_: np.ndarray) -> list:
        return [(10.0, 10.0, 40.0, 40.0)] if next(looks) < looks_until_none else []

    picture = np.random.default_rng(27).integers(0, 255, (60, 120, 3), np.uint8)
    report_pictures.save_picture(tmp_path / "x.jpg", picture, find)
    written = cv2.imread(str(tmp_path / "x.jpg"))
    assert bool(np.ptp(written) <= 2) is is_grey
