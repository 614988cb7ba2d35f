"""The loop as a whole: seeds, class weights, early stopping, budget, NaN guard, what observers hear."""

from dataclasses import replace

import numpy as np
import pytest

from components.core.errors import BadDataError, FinalError, UsageError
from components.models.registry import definition_of
from components.training.learn import HISTORY_COLUMNS, learn
from components.training.observer import Unwatched
from components.training.task import Task
from tests.components.training.conftest import tiny_task


class Heard:
    """Keeps what it is told."""

    def __init__(self):
        self.started, self.epochs, self.ended = [], [], []

    def on_start(self, facts):
        self.started.append(dict(facts))

    def on_epoch(self, epoch, metrics):
        self.epochs.append((epoch, dict(metrics)))

    def on_end(self, outcome):
        self.ended.append(dict(outcome))


def _learn(**training):
    return learn(tiny_task(**training), None, Unwatched())


def _same(one, other):
    assert one.arrays.keys() == other.arrays.keys()
    return all(np.array_equal(one.arrays[name], other.arrays[name]) for name in one.arrays)


def test_it_learns_and_the_same_seed_gives_the_same_bytes():
    one, again, other = _learn(epochs=4), _learn(epochs=4), _learn(epochs=4, seed=28)
    assert one.history == again.history != other.history
    assert _same(one, again)
    assert not _same(one, other)
    assert one.history[-1]["val_loss"] < one.history[0]["val_loss"]
    assert one.outcome["stopped"] == "epochs"
    assert not one.outcome["cut_short"]


def test_the_learning_rate_falls_as_the_paper_says():
    """3e-2 / (1 + 5e-4 t) after t updates; four updates an epoch."""
    history = _learn(epochs=3, learning_rate=0.03, decay=5e-4).history
    assert [row["step"] for row in history] == [4, 8, 12]
    for row in history:
        assert row["learning_rate"] == pytest.approx(0.03 / (1 + 5e-4 * row["step"]), rel=1e-6)


def test_patience_ends_training_and_the_best_weights_come_back():
    learned = _learn(epochs=60, patience=2, learning_rate=0.5)
    losses = [row["val_loss"] for row in learned.history]
    best = int(np.argmin(losses)) + 1
    assert learned.outcome["stopped"] == "patience"
    assert learned.outcome["best_epoch"] == best == len(losses) - 2
    until_best = _learn(epochs=best, patience=2, learning_rate=0.5)
    assert _same(learned, until_best)


@pytest.mark.parametrize(
    ("max_steps", "epochs", "steps", "cut_short"),
    [
        pytest.param(6, 6, 6, True, id="within the second epoch"),
        pytest.param(4, 6, 4, True, id="at an epoch's end"),
        pytest.param(8, 2, 8, False, id="just enough"),
        pytest.param(100, 2, 8, False, id="more than needed"),
    ],
)
def test_a_budget_of_steps(max_steps, epochs, steps, cut_short, caplog):
    learned = _learn(max_steps=max_steps, epochs=epochs)
    assert learned.outcome["steps"] == steps
    assert learned.outcome["cut_short"] is cut_short
    assert (f"cut short by its budget of {max_steps} steps" in caplog.text) is cut_short
    assert len(learned.history) == -(-steps // 4)


def test_losses_that_are_no_number_from_the_start_are_final():
    heard = Heard()
    with pytest.raises(FinalError, match="The loss of tiny is no number from step") as caught:
        learn(tiny_task(learning_rate=1e38, lr_decay_kind="none"), None, heard)
    assert caught.value.exit_code == 42
    assert not heard.epochs
    assert not heard.ended


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused_before_the_first_step(value):
    task = tiny_task()
    task.streams["numbers"][5] = value
    with pytest.raises(BadDataError, match="values that are no numbers"):
        learn(task, None, Unwatched())


def test_later_ones_keep_the_best_epoch_before(monkeypatch, caplog):
    """The sixth step's loss is no number: the first epoch's weights remain, and no further step is made."""
    from components.training import loop

    build, made = loop.Stepper, []

    def poisoned(*given):
        step = build(*given)

        def one(batch):
            made.append(1)
            return (float("nan"), 0) if len(made) == 6 else step(batch)

        return one

    monkeypatch.setattr(loop, "Stepper", poisoned)
    learned = learn(tiny_task(), None, Unwatched())
    monkeypatch.undo()
    assert learned.outcome["stopped"] == "not_finite"
    assert learned.outcome["best_epoch"] == learned.outcome["epochs"] == 1
    assert len(made) == 6
    assert "the loss is no number in epoch 2" in caplog.text
    assert _same(learned, _learn(epochs=1))


def test_observers_hear_every_epoch_and_the_clock_stays_out_of_the_history():
    heard = Heard()
    learned = learn(tiny_task(epochs=2), None, heard)
    assert heard.started == [{"model": "tiny", "train_clips": 26, "val_clips": 14}]
    assert [epoch for epoch, _ in heard.epochs] == [1, 2]
    assert set(heard.epochs[0][1]) == {*HISTORY_COLUMNS, "seconds"}
    assert all(set(row) == set(HISTORY_COLUMNS) for row in learned.history)
    assert heard.ended == [learned.outcome]


def test_observers_hear_of_the_clips_that_are_learned_from():
    heard, task = Heard(), tiny_task(epochs=1)
    learn(replace(task, definition=replace(task.definition, learns_from="normal")), None, heard)
    assert heard.started[0]["train_clips"] == 13


@pytest.mark.parametrize("side", ["train", "val"])
def test_a_class_without_clips_on_a_side_is_refused(side):
    task = tiny_task()
    rows = {"train": task.train_rows, "val": task.val_rows}
    rows[side] = rows[side][task.labels[rows[side]] == 0]
    lacking = Task(**{**vars(task), "train_rows": rows["train"], "val_rows": rows["val"]})
    with pytest.raises(BadDataError, match=f"The {side} side has .* none of class class_1"):
        learn(lacking, None, Unwatched())


def test_three_classes_are_learned_with_a_softmax():
    learned = learn(tiny_task(n_classes=3, epochs=4), None, Unwatched())
    assert learned.arrays["logits/bias"].shape == (3,)
    assert learned.history[-1]["loss"] < learned.history[0]["loss"]


def test_weight_decay_is_the_other_reading_of_decay():
    """A rate that stays, and weights that shrink."""
    learned = _learn(epochs=2, lr_decay_kind="weight_decay", decay=0.5)
    assert [row["learning_rate"] for row in learned.history] == pytest.approx([0.05, 0.05])
    plain = _learn(epochs=2, lr_decay_kind="none")
    shrunk, free = (np.abs(one.arrays["narrow/kernel"]).mean() for one in (learned, plain))
    assert shrunk < free


def test_flipping_is_refused_where_numbers_are_looked_at():
    with pytest.raises(UsageError, match="augmentation: flip for `tiny`"):
        _learn(augmentation="flip")


@pytest.mark.parametrize("name", ["majority", "logistic"])
def test_models_in_closed_form_have_a_curve_of_one_point(name):
    base = tiny_task()
    definition = definition_of(name)
    task = Task(
        **{**vars(base), "model_id": name, "definition": definition, "settings": definition.settings()}
    )
    heard = Heard()
    learned = learn(task, None, heard)
    assert len(learned.history) == len(heard.epochs) == 1
    assert set(learned.history[0]) == set(HISTORY_COLUMNS)
    assert learned.outcome["stopped"] == "fitted"


def test_majority_knows_the_shares_and_nothing_else():
    base = tiny_task()
    labels = np.where(np.arange(40) % 4 == 0, 1, 0)
    definition = definition_of("majority")
    task = Task(
        **{**vars(base), "model_id": "majority", "definition": definition, "settings": None, "labels": labels}
    )
    learned = learn(task, None, Unwatched())
    np.testing.assert_allclose(learned.arrays["shares"], [19 / 26, 7 / 26])
    share = 7 / 26
    assert learned.history[0]["loss"] == pytest.approx(
        -(share * np.log(share) + (1 - share) * np.log(1 - share))
    )


def test_a_loss_of_a_whole_batch_is_not_weighed_by_its_classes():
    """One of four clips is of the second class; one step on 8 clips, whose loss is one number."""
    task = tiny_task(max_steps=1)

    def same(_settings, _labels, outputs):
        return 1 + 0 * outputs[:, 0]

    compared = replace(task.definition, loss=same, loss_needs_batch=True)
    uneven = replace(task, definition=compared, labels=(np.arange(len(task.labels)) % 4 == 0).astype(int))
    assert learn(uneven, None, Unwatched()).history[0]["loss"] == 1.0
