import pytest

from components.core.errors import UsageError
from components.training.settings import TrainSettings, settings_for


def test_the_papers_values_are_the_defaults():
    settings = TrainSettings()
    assert (settings.learning_rate, settings.decay, settings.lr_decay_kind) == (1e-3, 5e-4, "inverse_time")
    assert (settings.seed, settings.batch, settings.epochs, settings.patience) == (27, 8, 100, 10)


def test_a_model_changes_what_it_names_and_nothing_else():
    common = TrainSettings(batch=16, epochs=7)
    assert settings_for("fusion", common, None) == common
    own = settings_for("fusion", common, {"max_steps": 500})
    assert (own.batch, own.epochs, own.max_steps) == (16, 7, 500)


@pytest.mark.parametrize(
    ("own", "message"),
    [
        pytest.param({"max_step": 5}, r"models\.fusion\.train\.max_step is not known", id="unknown"),
        pytest.param({"epochs": "many"}, r"models\.fusion\.train\.epochs is 'many'", id="no number"),
        pytest.param({"epochs": 0}, r"train\.epochs is 0", id="no epochs"),
        pytest.param({"max_steps": 0}, r"train\.max_steps is 0", id="no steps"),
        pytest.param({"learning_rate": -1.0}, r"train\.learning_rate is -1\.0", id="uphill"),
        pytest.param({"calibration": "isotonic"}, r"train\.calibration is 'isotonic'", id="unknown choice"),
        pytest.param([500], r"models\.fusion\.train is \[500\]", id="no section"),
    ],
)
def test_what_does_not_fit_is_refused(own, message):
    with pytest.raises(UsageError, match=message):
        settings_for("fusion", TrainSettings(), own)
