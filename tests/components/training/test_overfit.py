"""A network that cannot learn what is plain to see is broken, whatever its loss looks like."""

import pytest

from components.models.convlstm import ConvLSTMSettings
from components.training.learn import learn
from components.training.observer import Unwatched
from components.training.settings import TrainSettings
from tests.components.models.conftest import make_clips, make_task


@pytest.mark.slow
def test_the_picture_stream_alone_tells_bright_clips_from_dark_ones():
    training = TrainSettings(epochs=25, patience=25, calibration="none")
    settings = ConvLSTMSettings(bottleneck_activation="leaky_relu")
    learned = learn(make_task("convlstm", make_clips(n=36), settings, training), None, Unwatched())
    assert max(row["val_accuracy"] for row in learned.history) == 1.0
