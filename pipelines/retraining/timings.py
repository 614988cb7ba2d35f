"""What trainings took, told to the report: it belongs to no entry, because it is no out."""

from pathlib import Path

from components.core.exchange import Exchange
from pipelines.retraining.entries import LATEST

FOLDER = "timings"
_PREFIX = f"{LATEST}/{FOLDER}/"


def send(folder: Path, runs: Exchange) -> None:
    """Keep what the stage of a workspace has written down."""
    for path in sorted(folder.glob("*.json")):
        runs.replace(path, f"{_PREFIX}{path.name}")


def fetch(runs: Exchange, folder: Path) -> None:
    """Bring the newest of every training; the report takes those of the bundles that it shows."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in runs.names(_PREFIX):
        runs.fetch(name, folder / Path(name).name)
