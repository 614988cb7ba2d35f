"""No face leaves: a run on real people, then every picture that can be taken away put before detectors."""

import base64
import csv
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from components.datasets.names import VIDEO_SUFFIXES
from components.faces.build import build_detector
from components.faces.settings import FeaturizeSettings
from tests.flow import Checkout, copy_project

pytestmark = pytest.mark.slow

CLIPS = {  # label, side
    "gesture-again.mkv": ("alone", "train"),
    "gesture-student.mkv": ("alone", "train"),
    "gesture-walk.mkv": ("alone", "val"),
    "one-person-turning-head.mp4": ("alone", "test"),
    "table-visitors-from-above.mp4": ("together", "train"),
    "two-people-turning-heads.mp4": ("together", "val"),
    "two-people-walking.mp4": ("together", "test"),
}
LEAVES = ("reports", "mlartifacts")
PICTURES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
PAGES = (".css", ".html", ".json", ".md", ".svg", ".txt")
ARRAYS = (".npy", ".npz", ".h5", ".keras")
EMBEDDED = re.compile(rb"data:(?:image|video)/[\w.+-]+;base64,([A-Za-z0-9+/=\s]+)")
ENLARGED = (1, 2)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, project_root, shared_data) -> Iterator[Checkout]:
    """A run on a copy of people/ to its very end: filed, registered, reported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        made = copy_project(project_root, tmp_path_factory.mktemp("privacy"))
        lay_out(shared_data / "people", made.folder / "data/people")
        made.params(_for_people)
        made.repro()
        made.run("tailwatch", "promote", "--model", "logistic")  # which tracks first
        made.run("tailwatch", "report")
        yield made


def lay_out(people: Path, target: Path) -> None:
    """The clips with a table that gives each of them a label and a side."""
    target.mkdir(parents=True)
    for name in CLIPS:
        shutil.copy(people / name, target / name)
    with (target / "clips.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("clip", "label", "source", "split"))
        writer.writerows((name, label, name, side) for name, (label, side) in CLIPS.items())


def _for_people(params: dict) -> None:
    params["dataset"] = {"root": "data/people", "adapter": "folder", "classes": ["alone", "together"]}
    params["split"]["strategy"] = "given"
    params["views"] = {"numbers": params["views"]["numbers"]}
    params["models"] = {name: params["models"][name] for name in ("majority", "logistic")}
    params["evaluate"]["bootstrap"]["samples"] = 100
    params["report"]["clips_per_class"] = len(CLIPS)


def pictures(*folders: Path) -> dict[str, np.ndarray]:
    """Every picture below the folders, (H, W, 3) uint8 RGB: files, and those inside pages."""
    found = {}
    for path in (path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()):
        content = path.read_bytes()
        if path.suffix.lower() in PICTURES:
            found[str(path)] = decoded(content)
        elif path.suffix.lower() in PAGES:
            for k, match in enumerate(EMBEDDED.finditer(content)):
                found[f"{path}#{k}"] = decoded(base64.b64decode(match[1]))
    return found


def decoded(content: bytes) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None, "a picture that cannot be looked at cannot be vouched for"
    return np.ascontiguousarray(picture[:, :, ::-1])


def faces(found: dict[str, np.ndarray]) -> dict[str, list]:
    """What the default detector and dlib's, which learned from other data, see in pictures."""
    judges = [build_detector(FeaturizeSettings(detector=name)) for name in ("blazeface", "dlib_hog")]
    seen: dict[str, list] = {}
    for name, picture in found.items():
        for scale in ENLARGED:
            larger = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
            for judge in judges:
                for face in judge.detect(larger):
                    seen.setdefault(name, []).append((type(judge).__name__, scale, face))
    return seen


def test_no_picture_that_leaves_holds_a_face(checkout):
    found = pictures(*(checkout.folder / name for name in LEAVES))
    places = {Path(name).relative_to(checkout.folder).parts[0] for name in found}
    assert places == set(LEAVES), "there must be pictures to look at in both places"
    strips = [name for name in found if "/reports/pictures/" in name]
    assert len(strips) >= len(CLIPS), "every clip is shown"
    assert faces(found) == {}


def test_nothing_else_that_holds_pixels_leaves(checkout):
    suffixes = {path.suffix.lower() for name in LEAVES for path in (checkout.folder / name).rglob("*")}
    assert not suffixes & VIDEO_SUFFIXES
    arrays = {path.name for name in LEAVES for path in (checkout.folder / name).rglob("*")}
    assert {name for name in arrays if name.endswith(ARRAYS)} <= {"weights.npz"}
    models = [path.parent for path in (checkout.folder / "mlartifacts").rglob("MLmodel")]
    assert models
    assert not any("example" in path.name for model in models for path in model.rglob("*"))


def test_scoring_writes_no_picture(checkout):
    before = files(checkout.folder)
    video = str(checkout.folder / "data/people/two-people-walking.mp4")
    text = checkout.run("tailwatch", "score", video, "--model", "outs/train/logistic")
    assert "two-people-walking" in text
    assert "base64" not in text
    new = {name for name in files(checkout.folder) - before if not name.endswith(".pyc")}
    assert {name for name in new if not name.startswith(".dvc/")} == set()


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_judges_see_the_faces_when_nothing_is_blurred(checkout):
    """Runs last: it draws the report of a person who has switched blurring off."""
    checkout.params(lambda params: params["report"].update(blur_faces=False))
    checkout.run("tailwatch", "report")
    seen = faces(pictures(checkout.folder / "reports"))
    judges = {judge for looks in seen.values() for judge, _, _ in looks}
    assert judges == {"BlazeFace", "DlibHog"}
    shown = {name for name in seen if name.endswith("-frames.jpg")}
    assert len(shown) >= 4, "the clips in which persons look towards the camera"
