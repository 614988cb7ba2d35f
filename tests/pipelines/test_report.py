"""report: the page and its pictures, from a small project whose stages up to normalize have really run."""

import re
import shutil
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
from components.core.tables import write_csv
from components.evaluation.predictions import ClipPredictions, columns, to_rows
from components.evaluation.settings import BootstrapSettings
from components.evaluation.summary import summarise
from components.serving.blurring import all_detectors
from pipelines import compare, extract, featurize, ingest, normalize, report, report_pictures, segment
from pipelines.artifacts import Project, read_labels

CLASSES = ("walking", "following")
PARAMS = """
dataset: {root: clips, classes: [walking, following]}
split: {strategy: given}
samplings: {two: {kind: uniform, frames: 2}}
segment: {backend: none}
featurize: {sampling: two, detector: blazeface, landmarks: mediapipe}
views: {numbers: {sampling: two, numbers: true}}
models: {majority: {view: numbers}, logistic: {view: numbers}}
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
        "paired",
        "curves",
        "data",
        "coverage",
        "clips",
        "suspects",
        "mistakes",
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
    frame = next(av.open(str(clip)).decode(video=0)).to_ndarray(format="rgb24")
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


def test_clips_that_are_gone_are_told(project, tmp_path):
    root = tmp_path / "moved"
    shutil.copytree(project.root, root, ignore=shutil.ignore_patterns("store", "reports", "*.mp4"))
    text = report.run(Project.open(root)).read_text()
    assert "No picture: " in text
    assert Outline(text).sources == []


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
