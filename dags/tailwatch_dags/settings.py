"""How and where tasks run: read from the environment whenever a DAG is parsed, never from a database."""

import os
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from tailwatch_dags.errors import SettingError
from tailwatch_dags.resources import AMOUNT

ROOT = Path(__file__).resolve().parents[2]  # the project: dags/ stands in it, beside dvc.yaml

Mode = Literal["local", "celery", "kubernetes"]
MODES = ("local", "celery", "kubernetes")
WEBHOOK = "TAILWATCH_WEBHOOK"

# What a pod is told; workers of the other two modes hand on what they have themselves.
HANDED_ON = (
    "TAILWATCH_PROJECT",
    "TAILWATCH_RUNS",
    "TAILWATCH_REMOTE",
    "TAILWATCH_STORE",
    "TAILWATCH_DATASET_ROOT",
    "TAILWATCH_SCORES",
    "TAILWATCH_GIT_REMOTE",
    "TAILWATCH_LEASE_S",
    "TAILWATCH_S3_PATIENCE_S",
    "MLFLOW_TRACKING_URI",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
)
SCRATCH = "/scratch"  # where a pod has its own disk, which is its /tmp, too
TMP = "/tmp"  # noqa: S108  # the pod's own

_SHARED = ("TAILWATCH_RUNS", "TAILWATCH_REMOTE", "TAILWATCH_STORE")
_BUCKET = r"s3://[a-z0-9][a-z0-9.-]+(/.*)?"
_IMAGE = r"[a-z0-9][\w.:/-]*@sha256:[0-9a-f]{64}"
_DNS = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"  # of Kubernetes: a label, and names that join several with dots
_NAME = rf"{_DNS}(\.{_DNS})*"
_LABEL = rf"({_NAME}/)?[A-Za-z0-9]([\w.-]{{0,61}}[A-Za-z0-9])?"


@dataclass(frozen=True)
class Settings:
    """What the environment says.

    Attributes:
        mode: which machines do the work.
        gpu_on_cpu: whether tasks that want a GPU go to the CPU pool.
        parts: into how many parts a stage over clips is divided; None: as its class of machine says.
        retry_seconds: before the first retry; doubled before each further one.
        schedule: of retraining, as cron writes it; empty: only when clips arrive, or by hand.
        mlflow: address of MLflow's pages; empty: tasks show no link.
        reports: address below which reports are served; empty: tasks show no link.
        watched: the data set to watch for new clips; empty: dataset.root of params.yaml.
        handed_on: the variables that pods are told.
        pods: of Kubernetes alone.
    """

    mode: Mode
    gpu_on_cpu: bool
    parts: int | None
    retry_seconds: int
    schedule: str
    mlflow: str
    reports: str
    watched: str
    handed_on: Mapping[str, str]
    pods: "PodSettings | None"


@dataclass(frozen=True)
class PodSettings:
    """Of Kubernetes alone.

    Attributes:
        image: by digest.
        node_label: the label of nodes whose value is the pool's name.
        scratch: size of a pod's own disk.
        secret: the Secret whose keys become variables (AWS_ACCESS_KEY_ID and the like); empty: none.
        claim, mount: a volume claim that all pods share, and where they see it; empty: none.
    """

    image: str
    namespace: str
    node_label: str
    scratch: str
    service_account: str
    secret: str
    claim: str
    mount: str


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings.

    Raises:
        SettingError: a variable that says nothing usable.
    """
    mode = environ.get("TAILWATCH_EXECUTION") or "local"
    if mode not in MODES:
        raise SettingError("TAILWATCH_EXECUTION", mode, f"one of {', '.join(MODES)}")
    tracking = environ.get("MLFLOW_TRACKING_URI", "")
    for name in ("TAILWATCH_LEASE_S", "TAILWATCH_S3_PATIENCE_S"):
        _check_seconds(name, environ.get(name, ""))
    if not re.fullmatch(r"(https?://[^\s/@]+(/\S*)?)?", environ.get(WEBHOOK, "")):  # it may hold a secret
        raise SettingError(WEBHOOK, "...", "an http(s) address without user and password")
    return Settings(
        mode=cast("Mode", mode),
        gpu_on_cpu=_flag(environ, "TAILWATCH_GPU_ON_CPU"),
        parts=_number(environ, "TAILWATCH_PARTS", 1 if mode == "local" else None),
        retry_seconds=_number(environ, "TAILWATCH_RETRY_SECONDS", 60) or 60,
        schedule=_schedule(environ.get("TAILWATCH_SCHEDULE", "0 3 * * 1")),
        mlflow=_page(environ, "TAILWATCH_MLFLOW_URL") or _page_of(tracking),
        reports=_page(environ, "TAILWATCH_REPORTS_URL"),
        watched=_place(environ, "TAILWATCH_DATASET_ROOT"),
        handed_on={name: environ[name] for name in HANDED_ON if environ.get(name)},
        pods=_pods(environ) if mode == "kubernetes" else None,
    )


def project_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where commands are called: TAILWATCH_PROJECT if it is a folder, else the folder of these DAGs."""
    given = Path(environ.get("TAILWATCH_PROJECT") or ROOT)
    return given if given.is_dir() else ROOT


def check_project(environ: Mapping[str, str] = os.environ) -> None:
    """Refuse a project that is neither an address nor a folder of this machine.

    Raises:
        SettingError: TAILWATCH_PROJECT names a folder that is not there.
    """
    named = environ.get("TAILWATCH_PROJECT", "")
    if named and ":" not in named and not Path(named).is_dir():
        raise SettingError(
            "TAILWATCH_PROJECT", named, "a folder of this machine, or an address that git clones"
        )


def _pods(environ: Mapping[str, str]) -> PodSettings:
    claim, mount = _volume(environ.get("TAILWATCH_VOLUME", ""))
    for name in _SHARED:
        _check_shared(name, environ.get(name, ""), mount)
    clips = environ.get("TAILWATCH_DATASET_ROOT", "")
    if clips.startswith("/"):  # another is named from the project
        _check_shared("TAILWATCH_DATASET_ROOT", clips, mount)
    _check_tracking(environ)
    _text(
        environ,
        "TAILWATCH_SCORES",
        "",
        rf"none|{_BUCKET}",
        "s3://bucket/prefix, which pods can read, or none",
    )
    return PodSettings(
        image=_text(environ, "TAILWATCH_IMAGE", "", _IMAGE, "the ml image by digest, NAME@sha256:..."),
        namespace=_text(environ, "TAILWATCH_NAMESPACE", "tailwatch", _DNS, "a name as Kubernetes has them"),
        node_label=_text(environ, "TAILWATCH_NODE_LABEL", "workload", _LABEL, "the key of a label of nodes"),
        scratch=_text(environ, "TAILWATCH_SCRATCH", "50Gi", AMOUNT, "an amount like 50Gi"),
        service_account=_text(
            environ, "TAILWATCH_SERVICE_ACCOUNT", "default", _NAME, "the name of a service account"
        ),
        secret=_text(environ, "TAILWATCH_SECRET", "", rf"({_NAME})?", "the name of a Secret"),
        claim=claim,
        mount=mount,
    )


def _volume(value: str) -> tuple[str, str]:
    """The claim and where pods see it; both empty where none is named."""
    claim, _, mount = value.partition(":")
    plain = re.fullmatch(r"(/[^/:\s]+)+", mount) and posixpath.normpath(mount) == mount
    if value and not (re.fullmatch(_NAME, claim) and plain):
        raise SettingError("TAILWATCH_VOLUME", value, "CLAIM:/PATH")
    if f"{mount}/".startswith((f"{SCRATCH}/", f"{TMP}/")):
        raise SettingError(
            "TAILWATCH_VOLUME", value, f"another path than {SCRATCH} and {TMP}: a pod's own disk"
        )
    return claim, mount


def _check_shared(name: str, place: str, mount: str) -> None:
    in_volume = mount and posixpath.normpath(place).startswith(f"{mount}/")
    if not (in_volume or re.fullmatch(_BUCKET, place)):
        raise SettingError(name, place, "s3://bucket/prefix, or a folder in TAILWATCH_VOLUME: pods share it")


def _check_tracking(environ: Mapping[str, str]) -> None:
    """Refuse what no two pods share; SQLite's locks cannot be relied on in a volume of several machines."""
    value = environ.get("MLFLOW_TRACKING_URI", "")
    in_secret = not value and environ.get("TAILWATCH_SECRET")  # which keys that one has is not known here
    if not (in_secret or re.fullmatch(r"https?://[^\s/]\S*", value)):
        told = re.sub(r"(?<=://)[^/\s]*@", "...@", value)
        raise SettingError("MLFLOW_TRACKING_URI", told, "an http(s) address here or in TAILWATCH_SECRET")


def _check_seconds(name: str, value: str) -> None:
    try:
        seconds = float(value or 1)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise SettingError(name, value, "seconds above 0")


def _text(environ: Mapping[str, str], name: str, default: str, pattern: str, wanted: str) -> str:
    value = environ.get(name) or default
    if not re.fullmatch(pattern, value, re.ASCII):
        raise SettingError(name, value, wanted)
    return value


def _flag(environ: Mapping[str, str], name: str) -> bool:
    value = environ.get(name, "")
    if value not in ("", "0", "1"):
        raise SettingError(name, value, "1 or 0")
    return value == "1"


def _number(environ: Mapping[str, str], name: str, default: int | None) -> int | None:
    value = environ.get(name, "")
    if not value:
        return default
    if not value.isdecimal() or int(value) < 1:
        raise SettingError(name, value, "a whole number from 1 on")
    return int(value)


def _place(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if "://" in value and not re.match(r"s3://[^/]", value):
        raise SettingError(name, value, "a folder or s3://bucket/prefix")
    return value


def _page(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if value and not re.fullmatch(r"https?://[^\s/]\S*", value):
        raise SettingError(name, value, "an http(s) address")
    return _page_of(value)


def _page_of(address: str) -> str:
    """An address of the web for a link that Airflow shows to everybody: without user and password."""
    return re.sub(r"(?<=://)[^/\s]*@", "", address) if address.startswith("http") else ""


def _schedule(value: str) -> str:
    if value and len(value.split()) != 5:
        raise SettingError("TAILWATCH_SCHEDULE", value, "five fields as cron has them, or nothing")
    return value
