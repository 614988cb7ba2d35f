"""A bundle as an MLflow model: with our code beside it, it runs where there is no checkout."""

import re
import shutil
import warnings
from pathlib import Path

import components
from components.core.errors import BadDataError
from components.core.scratch import scratch_folder
from components.models.bundle import BUNDLE_FILE, WEIGHTS_FILE
from components.serving.download import BUNDLE_FOLDER
from components.tracking.store import limit_mlflow

PYFUNC_FILE = Path(__file__).with_name("pyfunc_model.py")

# What predicting imports. The wheels that carry third-party weights are left out: their declared
# dependencies contradict these, so they are installed without them (`make setup`).
PACKAGES = (
    *("ai-edge-litert", "av", "dlib-bin", "keras", "mlflow", "numpy"),
    *("opencv-python", "pandas", "pyyaml", "scikit-learn", "scipy", "tensorflow"),
)


def package(bundle: Path, lock: Path, folder: Path) -> Path:
    """Write the MLflow model of a bundle.

    Args:
        bundle: its folder.
        lock: requirements.lock, whose versions the model asks for.
        folder: where the model's folder is made.

    Returns:
        The model's folder.
    """
    limit_mlflow()
    import mlflow

    target = folder / "model"
    with scratch_folder() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # MLflow asks for type hints that would exclude bytes
        mlflow.pyfunc.save_model(
            str(target),
            python_model=str(PYFUNC_FILE),
            artifacts={"bundle": str(_copy_bundle(bundle, scratch))},
            code_paths=[str(_copy_code(scratch))],
            signature=_signature(),
            pip_requirements=pinned(lock, PACKAGES),
        )
    return target


def pinned(lock: Path, names: tuple[str, ...]) -> list[str]:
    """Requirements with the lock's versions.

    Raises:
        BadDataError: the lock does not name one of them.
    """
    versions = dict(
        re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    )
    missing = [name for name in names if name not in versions]
    if missing:
        raise BadDataError(
            f"{lock} has no {missing[0]}", wanted="a version of it", remedy="lock the requirements again"
        )
    return [f"{name}=={versions[name]}" for name in names]


def _copy_bundle(bundle: Path, scratch: Path) -> Path:
    target = scratch / BUNDLE_FOLDER
    target.mkdir()
    for name in (BUNDLE_FILE, WEIGHTS_FILE):
        shutil.copyfile(bundle / name, target / name)
    return target


def _copy_code(scratch: Path) -> Path:
    """Our components as they are now, without what Python leaves beside them."""
    source = Path(components.__path__[0])
    return Path(
        shutil.copytree(source, scratch / "components", ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    )


def _signature() -> "mlflow.models.ModelSignature":  # type: ignore[name-defined] # noqa: F821
    """One video a row, as text or bytes; named columns would make MLflow drop a plain list without a word."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec
    from mlflow.types.schema import AnyType

    numbers, texts = ("probability", "score", "coverage", "threshold"), ("alarms", "warnings")
    outputs = {"class": "string", **dict.fromkeys(numbers, "double"), **dict.fromkeys(texts, "string")}
    columns: list[ColSpec | TensorSpec] = [ColSpec(kind, name) for name, kind in outputs.items()]
    return ModelSignature(inputs=Schema([ColSpec(AnyType())]), outputs=Schema(columns))
