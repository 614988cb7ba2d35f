"""A small bundle with a real chain, and a small film."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from components.core.settings import to_dict
from components.faces.settings import FeaturizeSettings
from components.features.keys import ChainSettings
from components.features.scaler import Scaler
from components.features.views import View
from components.models.base import InputShapes
from components.models.bundle import BundleInfo, write_bundle
from components.models.calibration import Calibration
from components.segmentation.base import SegmentSettings
from components.video.sampling import Sampling

CLASSES = ("non_stalking", "stalking")


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second of a moving gradient, without any face."""
    path = tmp_path_factory.mktemp("film") / "walk-07.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25, (160, 120))
    for k in range(25):
        row = np.roll(np.linspace(0, 255, 160).astype(np.uint8), 3 * k)
        writer.write(np.repeat(np.tile(row, (120, 1))[..., None], 3, axis=2))
    writer.release()
    return path


@pytest.fixture(scope="session")
def bundle_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A logistic regression on the 29 numbers whose answer to a clip without faces is its bias: 0.75."""
    folder = tmp_path_factory.mktemp("bundle")
    view = View(sampling="five", numbers=True)
    chain = ChainSettings(
        samplings={"five": Sampling(kind="uniform", frames=5), "other": Sampling(kind="uniform", frames=9)},
        segment=SegmentSettings(backend="none"),
        featurize=FeaturizeSettings(sampling="five", look_in="frame"),
        views={"numbers": view, "other": View(sampling="other", height=8, width=8, background="keep")},
    )
    info = BundleInfo(
        model_id="logistic",
        settings={},
        classes=CLASSES,
        view_name="numbers",
        view=view,
        shapes=InputShapes(numbers=(5, 29)),
        scaler=Scaler(np.zeros(29), np.ones(29), np.full(29, 100)),
        calibration=Calibration(),
        threshold=0.6,
        parameters=146,
        chain=to_dict(chain),
        training={},
        digests={"data": "d" * 64, "code": "c" * 64},
    )
    write_bundle(folder, info, {"kernel": np.ones((145, 1)), "bias": np.full(1, np.log(3.0))})
    return folder
