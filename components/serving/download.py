"""Bundles out of MLflow."""

from pathlib import Path

from components.core.errors import BadDataError, StorageError, UsageError

BUNDLE_FOLDER = "bundle"
MODEL_SCHEME = "models:/"
MISSING = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


def is_model_uri(text: str) -> bool:
    """Whether this names a model in MLflow, not a folder."""
    return text.startswith((MODEL_SCHEME, "runs:/", "mlflow-artifacts:"))


def fetch_bundle(uri: str, folder: Path) -> Path:
    """Fetch a registered model's bundle into a folder; its path.

    Raises:
        UsageError: MLflow has no such model.
        StorageError: MLflow does not answer.
        BadDataError: the model holds no bundle.
    """
    from components.tracking.store import limit_mlflow

    limit_mlflow()
    from mlflow import MlflowException
    from mlflow.artifacts import download_artifacts

    try:
        model = Path(download_artifacts(uri, dst_path=str(folder)))
    except MlflowException as error:
        if error.error_code not in MISSING:
            raise _unreachable(uri, error) from error
        raise UsageError(
            f"{uri} is not there",
            wanted="a registered model",
            remedy="see `tailwatch history`, or run `tailwatch promote`",
        ) from error
    except OSError as error:
        raise _unreachable(uri, error) from error
    return bundle_in(model)


def _unreachable(uri: str, error: Exception) -> StorageError:
    return StorageError(
        f"{uri} cannot be fetched: {str(error).splitlines()[0]}",
        wanted="an MLflow server that answers",
        remedy="start it, or set MLFLOW_TRACKING_URI to the server that has the model",
    )


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
