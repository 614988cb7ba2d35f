"""Bundles out of MLflow."""

from pathlib import Path

from components.core.errors import BadDataError, StorageError

BUNDLE_FOLDER = "bundle"
MODEL_SCHEME = "models:/"


def is_model_uri(text: str) -> bool:
    """Whether this names a model in MLflow, not a folder."""
    return text.startswith((MODEL_SCHEME, "runs:/", "mlflow-artifacts:"))


def fetch_bundle(uri: str, folder: Path) -> Path:
    """Fetch a registered model's bundle into a folder; its path.

    Raises:
        StorageError: MLflow does not answer, or has no such model.
        BadDataError: the model holds no bundle.
    """
    from components.tracking.store import limit_mlflow

    limit_mlflow()
    from mlflow import MlflowException
    from mlflow.artifacts import download_artifacts

    try:
        model = Path(download_artifacts(uri, dst_path=str(folder)))
    except (MlflowException, OSError) as error:
        raise StorageError(
            f"{uri} cannot be fetched: {str(error).splitlines()[0]}",
            wanted="a registered model",
            remedy="see `tailwatch history`; set MLFLOW_TRACKING_URI to the server that has it",
        ) from error
    return bundle_in(model)


def bundle_in(model: Path) -> Path:
    """The bundle inside an MLflow model's folder.

    Raises:
        BadDataError: there is none.
    """
    path = model / "artifacts" / BUNDLE_FOLDER
    if not (path / "bundle.json").is_file():
        raise BadDataError(
            f"{model.name} holds no bundle",
            wanted=f"{path} with bundle.json",
            remedy="choose another version",
        )
    return path
