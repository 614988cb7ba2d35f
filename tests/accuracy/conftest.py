"""A small sample of films, drawn once."""

from pathlib import Path

import pytest

from components.simulation.sample import SampleSettings
from pipelines.sample import make_sample

CLIPS = 10


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten clips of five films."""
    folder = tmp_path_factory.mktemp("films") / "sample"
    make_sample(folder, SampleSettings(clips=CLIPS, clips_per_film=2, seed=4099), workers=1)
    return folder
