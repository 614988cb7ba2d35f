"""`tailwatch doctor`: what is installed, what is missing, and what to do about it. Imports nothing heavy."""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import yaml

from components.core import system
from components.core.errors import TailwatchError, without_secret
from components.core.weights import WEIGHTS, locate
from pipelines.dvc_at_rest import cut_short

State = Literal["ok", "note", "missing"]

PYTHON = (3, 11)
PACKAGES = (
    *("tensorflow", "keras", "numpy", "opencv-python", "av", "ai-edge-litert", "dlib-bin", "mediapipe"),
    *("scikit-learn", "dvc", "mlflow", "pixellib"),
)
OPTIONAL_PACKAGES = ("pixellib", "dlib-bin")  # only by settings that are not the default
SYSTEM_LIBRARIES = ("libGL.so.1", "libglib-2.0.so.0")  # that OpenCV loads
MIN_FREE_GB, ROOMY_GB = 2, 20
SETUP = "run `make setup`"


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's list.

    Attributes:
        state: `ok`, `note` (the default profile runs all the same) or `missing` (it does not).
        remedy: what to do; empty when there is nothing to do.
    """

    area: str
    name: str
    state: State
    found: str
    remedy: str = ""


def run(folder: Path) -> tuple[list[dict[str, Any]], bool]:
    """Look at everything.

    Returns:
        The findings as rows, and whether the default profile can run.
    """
    findings = [
        *python_and_packages(),
        *system_libraries(),
        *third_party_weights(),
        *accelerators(),
        *machine(folder),
        *project(folder),
    ]
    return [asdict(finding) for finding in findings], all(finding.state != "missing" for finding in findings)


def python_and_packages() -> Iterator[Finding]:
    """The interpreter and the packages that matter, by their metadata."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] == PYTHON:
        yield Finding("python", "python", "ok", version)
    else:
        yield Finding("python", "python", "missing", version, "make setup PYTHON=/path/to/python3.11")
    yield from (_package(name) for name in PACKAGES)


def system_libraries() -> Iterator[Finding]:
    """Shared libraries that wheels expect, and the FFmpeg that the wheels carry."""
    for name in SYSTEM_LIBRARIES:
        try:
            ctypes.CDLL(name)
        except OSError:
            yield Finding("system", name, "missing", "not found", "apt-get install libgl1 libglib2.0-0")
        else:
            yield Finding("system", name, "ok", "found")
    yield _ffmpeg()


def third_party_weights() -> Iterator[Finding]:
    """Networks that packages carry, their digests checked."""
    for name, weights in WEIGHTS.items():
        licence, _, limits = weights.licence.partition("; ")
        about = f"{licence}, sha256 {weights.sha256[:12]}"
        advice = "; ".join(part for part in (limits, weights.note) if part)
        try:
            locate(name)
        except TailwatchError as error:
            yield Finding("weights", name, "missing", error.came, error.remedy)
        else:
            yield Finding("weights", name, "note" if advice else "ok", about, advice)


def accelerators() -> Iterator[Finding]:
    """GPUs, as the driver sees them; TensorFlow is not asked."""
    cards = _nvidia_smi()
    if cards:
        yield from (Finding("gpu", f"gpu {k}", "ok", card) for k, card in enumerate(cards))
    elif any(Path("/dev").glob("nvidia[0-9]*")):
        yield Finding(
            "gpu",
            "nvidia",
            "note",
            "a device without nvidia-smi",
            "install the driver's tools to see what it is",
        )
    else:
        yield Finding(
            "gpu", "nvidia", "note", "none", "models train on the CPU; profile `fights` keeps that short"
        )


def machine(folder: Path) -> Iterator[Finding]:
    """Cores, memory, disk and shared memory."""
    yield Finding("machine", "cores", "ok", str(len(os.sched_getaffinity(0))))
    yield Finding("machine", "memory", "ok", f"{_memory_gb():.1f} GB")
    free = shutil.disk_usage(_existing(folder)).free / 1e9
    remedy = "`tailwatch prune` and `dvc gc --workspace`, or move the project to a larger disk"
    state: State = "missing" if free < MIN_FREE_GB else "note" if free < ROOMY_GB else "ok"
    yield Finding("machine", "free disk", state, f"{free:.1f} GB", "" if state == "ok" else remedy)


def project(folder: Path) -> Iterator[Finding]:
    """The folder: parameters, data set, git and DVC."""
    yield _data_set(folder)
    if _params(folder) and find_spec("numpy"):  # without which they cannot be checked
        yield from _misfits(folder)
    yield _git(folder)
    if find_spec("dvc") and (cut := cut_short(folder)):
        names = " and ".join(path.name for path in cut)
        yield Finding("project", "dvc state", "missing", f"{names} cut short", "tailwatch repro")
    elif (folder / ".dvc").is_dir():
        ran = "has run" if (folder / "dvc.lock").is_file() else "nothing has run yet"
        yield Finding(
            "project", "dvc state", "ok", ran, "" if ran == "has run" else "dvc repro, or make demo"
        )
    else:
        yield Finding("project", "dvc state", "missing", "no .dvc folder", "dvc init")
    stores = [Path(".tailwatch", name) for name in ("store", "near")]
    places = " and ".join(str(store) for store in stores if (folder / store).is_dir())
    size_gb = sum(_size_gb(folder / store) for store in stores)
    yield Finding("project", "store", "ok", f"{size_gb:.2f} GB in {places or stores[0]}")


def _package(name: str) -> Finding:
    try:
        return Finding("packages", name, "ok", metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(
            "packages", name, "note" if name in OPTIONAL_PACKAGES else "missing", "not installed", SETUP
        )


def _ffmpeg() -> Finding:
    """The libavcodec inside the PyAV wheel: its version is the decoder's patch level."""
    spec = find_spec("av")
    folder = Path(spec.origin).parents[1] / "av.libs" if spec and spec.origin else None
    files = sorted(folder.glob("libavcodec*")) if folder and folder.is_dir() else []
    if not files:
        return Finding(
            "system", "libavcodec", "note", "not inside the av wheel", "PyAV uses the system's FFmpeg"
        )
    library = ctypes.CDLL(str(files[0]))
    version = library.avcodec_version()
    return Finding(
        "system", "libavcodec", "ok", f"{version >> 16}.{version >> 8 & 255}.{version & 255} (av wheel)"
    )


def _nvidia_smi() -> list[str]:
    if not shutil.which("nvidia-smi"):
        return []
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        found = system.run(query, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return found.stdout.strip().splitlines() if found.returncode == 0 else []


def _data_set(folder: Path) -> Finding:
    params = _params(folder)
    if not params:
        return Finding(
            "project", "params.yaml", "missing", "not there, or no YAML", "change into the project's folder"
        )
    root = os.environ.get("TAILWATCH_DATASET_ROOT") or str(params.get("dataset", {}).get("root", ""))
    if "://" in root or (folder / root).is_dir():
        return Finding("project", "data set", "ok", without_secret(root))
    remedy = f"`tailwatch sample {root}` renders the sample; else correct dataset.root in params.yaml"
    return Finding("project", "data set", "note", f"{root} is not there", remedy)


def _params(folder: Path) -> Mapping[str, Any]:
    try:
        values = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return values if isinstance(values, Mapping) else {}


def _misfits(folder: Path) -> Iterator[Finding]:
    """What the stages would refuse of params.yaml."""
    from pipelines.params import read_params

    try:
        read_params(folder)
    except TailwatchError as error:
        yield Finding("project", "params.yaml", "missing", error.came, error.remedy)


def _git(folder: Path) -> Finding:
    if not shutil.which("git"):
        return Finding(
            "project", "git", "note", "not installed", "install git, so that runs know their commit"
        )
    described = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    found = system.run(described, cwd=_existing(folder))
    if found.returncode:
        return Finding(
            "project", "git", "note", "no commit", "git init && git commit, so that runs know their commit"
        )
    return Finding("project", "git state", "ok", found.stdout.strip())


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def _size_gb(folder: Path) -> float:
    return (
        sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e9
        if folder.is_dir()
        else 0.0
    )


def _existing(folder: Path) -> Path:
    return folder if folder.is_dir() else Path.cwd()
