"""Bad input through the real commands: each clip comes through or is set aside, saying why; none is lost."""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.core.tables import read_csv
from pipelines.artifacts import Project, read_clips, read_labels
from tests.pipelines.test_ingest import PARAMS
from tests.video_factory import (
    damaged,
    is_upright_rgb,
    numbers,
    truncated,
    write_audio,
    write_two_streams,
    write_video,
)

pytestmark = pytest.mark.slow

VARIABLE_MS = [*range(0, 400, 40), *range(400, 4400, 400)]
TEN_HOURS = Fraction(1, 360)  # frames a second: a hundred frames last ten hours


@dataclass(frozen=True)
class Case:
    """A clip that is not as it should be.

    Attributes:
        make: writes it.
        reason: why it is set aside at ingest; empty when it comes through.
        status: extract's; empty when it does not get there.
        frames: the numbers painted into the five frames; None when they are not looked at.
    """

    make: Callable[[Path], object]
    reason: str = ""
    status: str = "ok"
    frames: list[int] | None = None


def refused(make: Callable[[Path], object], reason: str) -> Case:
    return Case(make, reason, status="")


def film(path: Path, first: int) -> Path:
    return write_video(path, first=first)


def frames_from(first: int) -> list[int]:
    return [first + k for k in (3, 9, 15, 21, 27)]


def rotated(degrees: int) -> Case:
    return Case(
        lambda path: write_video(path, rotation=degrees, first=degrees // 2), frames=frames_from(degrees // 2)
    )


CASES = {
    "good.mp4": Case(lambda path: film(path, 1), frames=frames_from(1)),
    "empty.mp4": refused(lambda path: path.touch(), "the file is empty"),
    "page.mp4": refused(lambda path: path.write_text("<html>not found</html>"), "text, not a video"),
    "noise.mp4": refused(
        lambda path: path.write_bytes(bytes(range(256)) * 20), "no video, or damaged at its start"
    ),
    "cut.mp4": refused(lambda path: truncated(film(path, 2), 0.5), "its index (moov atom) is missing"),
    "audio.mp4": refused(write_audio, "no video stream"),
    "8k.mp4": refused(lambda path: write_video(path, 1, size=(7680, 4320)), "frames of 7680x4320 pixels"),
    "ten hours.mp4": refused(lambda path: write_video(path, 100, TEN_HOURS, size=(64, 64)), "36000 s long"),
    "ten hours.ts": refused(lambda path: write_video(path, 100, TEN_HOURS, size=(64, 64)), "s long"),
    "cut.mkv": Case(lambda path: truncated(write_video(path, 100), 0.5), status="partial"),
    "flipped bits.mp4": Case(lambda path: damaged(write_video(path, 100, first=7), [30]), status="partial"),
    "one frame.mp4": Case(lambda path: write_video(path, 1, first=9), frames=[9] * 5),
    "two streams.mp4": Case(lambda path: write_two_streams(path, 40, 90), frames=frames_from(40)),
    "rotated 0.mp4": rotated(0),
    "rotated 90.mp4": rotated(90),
    "rotated 180.mp4": rotated(180),
    "rotated 270.mp4": rotated(270),
    "variable rate.mp4": Case(lambda path: write_video(path, 20, times_ms=VARIABLE_MS, first=3)),
    "-x.mp4": Case(lambda path: film(path, 11), frames=frames_from(11)),
    "blanks and 'quotes' $(x).mp4": Case(lambda path: film(path, 13), frames=frames_from(13)),
    "影片 клип مقطع.mp4": Case(lambda path: film(path, 15), frames=frames_from(15)),
    "new\nline.mp4": Case(lambda path: film(path, 17), frames=frames_from(17)),
    "empty\x1b[2J\nhere.mp4": refused(lambda path: path.touch(), "the file is empty"),
}
FIGHTS = 4


def tailwatch(folder: Path, *command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **options.pop("env", {})}
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "-C", str(folder), *command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        **options,
    )


def write_params(folder: Path, **sections: dict[str, Any]) -> None:
    (folder / "params.yaml").write_text(yaml.safe_dump({**PARAMS, **sections}), encoding="utf-8")


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """A project after ingest and extract, and what these said."""
    folder = tmp_path_factory.mktemp("bad")
    films = folder / "films"
    for label in ("calm", "fight"):
        (films / label).mkdir(parents=True)
    for name, case in CASES.items():
        plain = films / "calm" / f"made{Path(name).suffix}"
        case.make(plain)
        plain.rename(films / "calm" / name)
    for k in range(FIGHTS):
        film(films / "fight" / f"{k}.mp4", 100 + 30 * k)
    write_params(folder, ingest={"max_bad_fraction": 0.9}, split={"strategy": "random"})
    said = ""
    for stage in ("ingest", "extract"):
        result = tailwatch(folder, stage)
        assert result.returncode == 0, result.stderr
        said += result.stderr
    return Project.open(folder), said


def test_every_clip_comes_through_or_has_its_reason(taken: tuple[Project, str]) -> None:
    project, _ = taken
    labels, clips = read_labels(project), {clip.clip_id for clip in read_clips(project)}
    assert set(labels) == {f"calm/{name}" for name in CASES} | {f"fight/{k}.mp4" for k in range(FIGHTS)}
    assert clips == {clip_id for clip_id, label in labels.items() if not label.reason}
    assert set(labels) - clips == {f"calm/{name}" for name, case in CASES.items() if case.reason}
    index = read_csv(project.out("extract", "index.csv"))
    assert [row["clip_id"] for row in index] == sorted(clips)


@pytest.mark.parametrize("name", CASES, ids=ascii)
def test_a_clip(taken: tuple[Project, str], name: str) -> None:
    project, _ = taken
    case, clip_id = CASES[name], f"calm/{name}"
    assert case.reason in read_labels(project)[clip_id].reason
    rows = [row for row in read_csv(project.out("extract", "index.csv")) if row["clip_id"] == clip_id]
    assert [row["status"] for row in rows] == ([case.status] if case.status else [])
    if case.frames is not None:
        clip = next(clip for clip in read_clips(project) if clip.clip_id == clip_id)
        pixels = project.chain.frames(clip, "five")["frames"]
        assert numbers(pixels) == case.frames
        assert is_upright_rgb(pixels[0])


def test_what_is_said_stays_on_its_line(taken: tuple[Project, str]) -> None:
    _, said = taken
    assert all(letter.isprintable() for line in said.split("\n") for letter in line)
    assert "empty\\x1b[2J\\nhere.mp4 set aside" in said
    assert "Traceback" not in said


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of four films, with nothing wrong."""
    folder = tmp_path_factory.mktemp("small")
    for label, first in (("calm", 0), ("fight", 100)):
        (folder / "films" / label).mkdir(parents=True)
        for k in range(2):
            film(folder / "films" / label / f"{k}.mp4", first + 40 * k)
    write_params(folder)
    return folder


def _no_class(folder: Path) -> None:
    write_params(folder, dataset={**PARAMS["dataset"], "classes": ["calm", "fight", "dance"]})


def _one_class(folder: Path) -> None:
    write_params(folder, dataset={**PARAMS["dataset"], "classes": ["calm"]})


def _conflict(folder: Path) -> None:
    shutil.copy(folder / "films" / "calm" / "0.mp4", folder / "films" / "fight" / "x.mp4")


def _unknown_key(folder: Path) -> None:
    write_params(folder, ingest={"colour": 1})


def _pixellib(folder: Path) -> None:
    pixellib = {"weights": "no/such.h5", "sha256": "0" * 64}
    views = {"small": {"sampling": "five", "height": 8, "width": 8, "background": "black"}}
    models = {"majority": {"view": "small", "runs_on": "cpu"}}
    write_params(folder, views=views, models=models, segment={"backend": "pixellib", "pixellib": pixellib})


REFUSALS = [
    pytest.param(_no_class, 3, "No usable clip of class dance", id="a class without clips"),
    pytest.param(_one_class, 2, "two classes or more", id="one class only"),
    pytest.param(_conflict, 3, "calm/0.mp4: calm, fight/x.mp4: fight", id="a label conflict"),
    pytest.param(
        lambda folder: write_params(folder, ingest={"colour": 1}),
        2,
        "ingest.colour is not known",
        id="an unknown key",
    ),
    pytest.param(lambda folder: shutil.rmtree(folder / "films"), 2, "films", id="no data set"),
    pytest.param(_pixellib, 4, "no/such.h5 is not there", id="missing weights"),
    pytest.param(lambda folder: (folder / "outs").touch(), 4, "outs", id="a file for outs"),
    pytest.param(lambda folder: (folder / ".tailwatch").touch(), 4, ".tailwatch", id="a file for the store"),
]


@pytest.mark.parametrize(("change", "code", "message"), REFUSALS)
def test_a_refusal_is_one_line(
    small: Path, tmp_path: Path, change: Callable[[Path], None], code: int, message: str
) -> None:
    folder = Path(shutil.copytree(small, tmp_path / "project"))
    change(folder)
    for stage in ("ingest", "extract", "segment"):
        result = tailwatch(folder, "-q", stage)
        if result.returncode:
            break
    _is_refusal(result, code, message)


def test_a_full_disk(small: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(small, tmp_path / "project"))
    fault = {"TAILWATCH_FAULT": "full@3:file.sync", "TAILWATCH_FAULT_LOG": str(tmp_path / "log")}
    _is_refusal(tailwatch(folder, "-q", "ingest", env=fault), 5, "No space left on device")
    assert tailwatch(folder, "-q", "ingest").returncode == 0


@pytest.mark.parametrize(
    ("read_only", "code"),
    [pytest.param("films", 0, id="the data set"), pytest.param(".", 4, id="the project")],
)
def test_a_folder_that_may_only_be_read(small: Path, tmp_path: Path, read_only: str, code: int) -> None:
    folder = Path(shutil.copytree(small, tmp_path / "project"))
    places = [place for place in (folder / read_only, *(folder / read_only).rglob("*")) if place.is_dir()]
    for place in places:
        place.chmod(0o555)
    try:
        if _writes(folder / read_only):
            pytest.skip("this user writes where nobody may")
        result = tailwatch(folder, "-q", "ingest", preexec_fn=_obey_modes)
    finally:
        for place in places:
            place.chmod(0o755)
    if code:
        _is_refusal(result, code, "Permission denied")
    else:
        assert result.returncode == 0, result.stderr


def _is_refusal(result: subprocess.CompletedProcess[str], code: int, message: str) -> None:
    assert result.returncode == code, result.stderr
    last = result.stderr.rstrip("\n").split("\n")[-1]
    assert last.startswith("tailwatch: ")
    assert message in last
    assert "To do: " in last
    assert "Traceback" not in result.stderr


def _writes(folder: Path) -> bool:
    probe = subprocess.run(
        ["touch", str(folder / "probe")], preexec_fn=_obey_modes, capture_output=True, check=False
    )
    return probe.returncode == 0


def _obey_modes() -> None:
    """Take from root what lets it write where the modes forbid it."""
    PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)
