"""Occlusion maps, of models that look at a known place."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from components.serving.occlusion import GREY, PER_QUESTION, heat_overlay, occlude, questions, sureness

T, H, W, CELLS = 2, 30, 44, 8


def brightness_of(rows: slice, columns: slice):
    """A model that is the surer the brighter one place is."""
    return lambda clips: clips[:, :, rows, columns].mean(axis=(1, 2, 3, 4)) / 255


@pytest.mark.parametrize(
    ("rows", "columns", "hottest"),
    [
        pytest.param(slice(0, 3), slice(0, 4), (0, 0), id="top left"),
        pytest.param(slice(H - 3, H), slice(0, 4), (7, 0), id="bottom left"),
        pytest.param(slice(0, 3), slice(W - 4, W), (0, 7), id="top right"),
    ],
)
def test_the_heat_is_where_the_model_looks(rows, columns, hottest):
    white = np.full((T, H, W, 3), 255, np.uint8)
    found = occlude(white, brightness_of(rows, columns), CELLS)
    assert found.whole == 1.0
    assert np.unravel_index(found.drops.argmax(), found.drops.shape) == hottest
    assert found.drops[hottest] == pytest.approx(1 - GREY / 255, abs=0.01)
    near = np.zeros((CELLS, CELLS), bool)
    near[(slice(2) if hottest[0] == 0 else slice(6, 8)), (slice(2) if hottest[1] == 0 else slice(6, 8))] = (
        True
    )
    assert not found.drops[~near].any()


def test_what_speaks_against_the_answer_is_cold():
    black = np.zeros((T, H, W, 3), np.uint8)
    found = occlude(black, brightness_of(slice(0, 3), slice(0, 4)), CELLS)
    assert found.drops.min() == found.drops[0, 0] == pytest.approx(-GREY / 255, abs=0.01)


def test_the_clip_stays_and_questions_are_small_and_counted():
    white, asked = np.full((T, H, W, 3), 255, np.uint8), []

    def ask(clips):
        asked.append(len(clips))
        return np.zeros(len(clips))

    occlude(white, ask, CELLS)
    assert (white == 255).all()
    assert sum(asked) == questions(CELLS) == 50
    assert max(asked) == PER_QUESTION


@pytest.mark.parametrize(
    ("said", "place", "wanted"),
    [
        pytest.param({"raw": [[0.2, 0.8]], "scores": None}, 1, np.log(4), id="two classes"),
        pytest.param({"raw": [[0.2, 0.8]], "scores": None}, 0, -np.log(4), id="the other class"),
        pytest.param({"raw": [[0.5, 0.3, 0.2]], "scores": None}, 0, 0.0, id="three classes"),
        pytest.param({"raw": [[1.0, 0.0]], "scores": None}, 0, 27.6, id="no infinity"),
        pytest.param({"raw": None, "scores": [3.0]}, 1, 3.0, id="an anomaly"),
        pytest.param({"raw": None, "scores": [3.0]}, 0, -3.0, id="called normal"),
    ],
)
def test_sureness(said, place, wanted):
    arrays = {name: None if value is None else np.array(value) for name, value in said.items()}
    assert sureness(SimpleNamespace(**arrays), place) == pytest.approx([wanted], abs=0.05)


def test_the_overlay_covers_the_picture_and_the_largest_is_the_least_transparent():
    svg = heat_overlay(np.array([[0.5, -1.0], [0.0, 0.25]]), 320, 180)
    found = re.findall(r'class="(\w+)" x="(\S+)" y="(\S+)" .*?fill-opacity="(\S+)"', svg)
    assert found == [
        ("for", "0.0", "0.0", "0.35"),
        ("against", "160.0", "0.0", "0.70"),
        ("against", "0.0", "90.0", "0.00"),
        ("for", "160.0", "90.0", "0.17"),
    ]
    assert 'viewBox="0 0 320 180"' in svg


def test_next_to_nothing_is_pale():
    svg = heat_overlay(np.array([[0.01, 0.0], [0.0, -0.02]]), 8, 8, least=0.1)
    assert re.findall(r'fill-opacity="(\S+)"', svg) == ["0.07", "0.00", "0.00", "0.14"]


def test_an_even_map_is_drawn_without_heat():
    assert set(re.findall(r'fill-opacity="(\S+)"', heat_overlay(np.zeros((4, 4)), 8, 8))) == {"0.00"}
