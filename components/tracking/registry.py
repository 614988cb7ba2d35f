"""The registered model: its versions and their aliases."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from components.core.errors import UsageError
from components.tracking.store import TrackingStore

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
BUNDLE = "tailwatch.bundle"
MODEL_ID = "tailwatch.model_id"
PROMOTION = "tailwatch.promotion"
REPLACED = "tailwatch.replaced"
_MISSING = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


@dataclass(frozen=True)
class Version:
    """One version of the registered model.

    Attributes:
        number: as MLflow counts.
        source: URI of the MLflow model.
        tags: evidence, digests, commit.
        run_id: of the run that trained it.
    """

    number: int
    source: str
    tags: Mapping[str, str] = field(default_factory=dict)
    run_id: str = ""

    @property
    def bundle(self) -> str:
        """The bundle's digest."""
        return self.tags.get(BUNDLE, "")

    @property
    def model_id(self) -> str:
        """The architecture: "fusion"."""
        return self.tags.get(MODEL_ID, "")

    @property
    def promotion(self) -> int:
        """The number of the move that last made it champion; 0 for never."""
        return int(self.tags.get(PROMOTION, "0"))

    @property
    def replaced(self) -> int | None:
        """The version whose place it took when it was promoted."""
        text = self.tags.get(REPLACED, "")
        return int(text) if text else None


class ModelRegistry:
    """Versions and aliases of one registered model.

    Args:
        store: the tracking store, which holds the registry too.
        name: of the registered model.
    """

    def __init__(self, store: TrackingStore, name: str) -> None:
        self.store = store
        self.client = store.client
        self.name = name

    def register(
        self,
        bundle: str,
        make_model: Callable[[], Path],
        experiment: str,
        tags: Mapping[str, str],
        run_id: str,
    ) -> Version:
        """The version of a bundle, made if it is not there.

        Args:
            bundle: the bundle's digest; one bundle is one version.
            make_model: gives the folder of the MLflow model; called only when it is needed.
            experiment: where the MLflow model is filed.
            run_id: the run that trained it.

        Raises:
            StorageError: the store did not answer; registering again goes on where it stopped.
        """
        found = self.find(bundle)
        if found is not None:
            return found
        experiment_id = self.store.experiment_id(experiment)
        with self.store.answering():
            self._ensure_registered_model()
            model_id = self._logged_model(bundle, experiment_id) or self._log_model(
                make_model(), bundle, experiment_id, run_id
            )
            return self._create_version(model_id, bundle, tags, run_id)

    def find(self, bundle: str) -> Version | None:
        """The version of this bundle; of several, as two processes at once may make them, the first."""
        with self.store.answering():
            found = self.client.search_model_versions(
                f"name = '{self.name}' and tags.`{BUNDLE}` = '{bundle}'"
            )
        return min(map(_version, found), key=lambda one: one.number, default=None)

    def version(self, number: int) -> Version:
        """A version by its number.

        Raises:
            UsageError: there is none.
        """
        found = self._look_up(lambda: self.client.get_model_version(self.name, str(number)))
        if found is None:
            raise UsageError(
                f"{self.name} has no version {number}",
                wanted="the number of a version",
                remedy="see `tailwatch history`",
            )
        return found

    def versions(self) -> list[Version]:
        """All versions, oldest first."""
        found: list[Version] = []
        token: str | None = None
        with self.store.answering():
            while True:
                page = self.client.search_model_versions(f"name = '{self.name}'", page_token=token)
                found += map(_version, page)
                token = page.token
                if not token:
                    return sorted(found, key=lambda one: one.number)

    def alias(self, name: str) -> Version | None:
        """The version under an alias, or None."""
        return self._look_up(lambda: self.client.get_model_version_by_alias(self.name, name))

    def champion(self) -> Version | None:
        """The version in use, or None before the first promotion."""
        return self.alias(CHAMPION)

    def set_alias(self, name: str, number: int | None) -> None:
        """Put an alias on a version, or with None take it away."""
        with self.store.answering():
            if number is not None:
                self.client.set_registered_model_alias(self.name, name, str(number))
            elif self.alias(name) is not None:
                self.client.delete_registered_model_alias(self.name, name)

    def note(self, number: int, tags: Mapping[str, str]) -> None:
        """Write tags on a version."""
        with self.store.answering():
            for key, value in sorted(tags.items()):
                self.client.set_model_version_tag(self.name, str(number), key, value)

    def note_on_model(self, key: str, value: str) -> None:
        """Write a tag on the registered model as a whole."""
        with self.store.answering():
            self.client.set_registered_model_tag(self.name, key, value)

    def notes_on_model(self) -> Mapping[str, str]:
        """The tags of the registered model as a whole; none when it is not there."""
        from mlflow import MlflowException

        with self.store.answering():
            try:
                tags: Mapping[str, str] = self.client.get_registered_model(self.name).tags
            except MlflowException as error:
                if error.error_code not in _MISSING:
                    raise
                return {}
        return tags

    def download(self, version: Version, folder: Path) -> Path:
        """Fetch a version's MLflow model into a folder; its path."""
        from mlflow.artifacts import download_artifacts

        with self.store.answering():
            return Path(download_artifacts(version.source, dst_path=str(folder), tracking_uri=self.store.uri))

    def _look_up(self, ask: "Callable[[], ModelVersion]") -> Version | None:
        from mlflow import MlflowException

        with self.store.answering():
            try:
                return _version(ask())
            except MlflowException as error:
                if error.error_code not in _MISSING:
                    raise
        return None

    def _ensure_registered_model(self) -> None:
        from mlflow import MlflowException

        try:
            self.client.create_registered_model(self.name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _logged_model(self, bundle: str, experiment_id: str) -> str | None:
        """The whole MLflow model of this bundle that an interrupted registration left."""
        found = self.client.search_logged_models([experiment_id], f"tags.`{BUNDLE}` = '{bundle}'")
        whole = [model.model_id for model in found if model.status == "READY"]
        return str(whole[0]) if whole else None

    def _log_model(self, folder: Path, bundle: str, experiment_id: str, run_id: str) -> str:
        model = self.client.create_logged_model(experiment_id, self.name, run_id, tags={BUNDLE: bundle})
        self.client.log_model_artifacts(model.model_id, str(folder))
        self.client.finalize_logged_model(model.model_id, "READY")
        return str(model.model_id)

    def _create_version(self, model_id: str, bundle: str, tags: Mapping[str, str], run_id: str) -> Version:
        """A version of an MLflow model.

        Its source is the model's place, not `models:/m-...`: a local store would look that up through
        MLflow's process-wide address, which may be another store's.
        """
        model = self.client.get_logged_model(model_id)
        given = {**tags, BUNDLE: bundle}
        made = _version(
            self.client.create_model_version(
                self.name, model.artifact_location, run_id, given, model_id=model_id
            )
        )
        first = self.find(bundle)
        if first is not None and first.number != made.number:
            self.client.delete_model_version(self.name, str(made.number))
            return first
        return made


def _version(found: "ModelVersion") -> Version:
    return Version(int(found.version), str(found.source), dict(found.tags), str(found.run_id or ""))
