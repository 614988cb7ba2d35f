"""report: models' failures."""

import numpy as np
import pytest

from pipelines.reporting.explained import Models
from pipelines.reporting.gallery import UNSURE_OF_BEST, clip_row, gallery_clips, gallery_section
from tests.pipelines.explained import compared, comparison, explained_project, predictions


def test_the_challenger_shows_errors_and_what_it_nearly_got_wrong(tmp_path):
    (entry,) = gallery = gallery_section(explained_project(tmp_path))
    assert (entry["model"], entry["is_best"], entry["n"], entry["n_wrong"]) == ("logistic", True, 30, 2)
    assert [row["clip_id"] for row in entry["wrong"]] == ["clip05", "clip04"], "the surest first"
    assert [row["clip_id"] for row in entry["unsure"]] == ["clip00", "clip01", "clip02", "clip06"]
    assert len(entry["unsure"]) == UNSURE_OF_BEST
    assert gallery_clips(gallery) == ["clip05", "clip04", "clip00", "clip01", "clip02", "clip06"]


@pytest.mark.parametrize(
    ("challenger", "baselines", "shown"),
    [
        pytest.param("logistic", {"majority"}, [("logistic", True)], id="no baselines"),
        pytest.param(None, {"majority", "logistic"}, [("majority", False), ("logistic", False)], id="alone"),
        pytest.param("logistic", set(), [("logistic", True), ("majority", False)], id="challenger first"),
    ],
)
def test_whose_failures_are_shown(tmp_path, challenger, baselines, shown):
    models = explained_project(tmp_path)
    rows = [compared(name, 0.5, is_baseline=name in baselines) for name in ("majority", "logistic")]
    gallery = gallery_section(Models(models.project, comparison(models=rows, challenger=challenger)))
    assert [(entry["model"], entry["is_best"]) for entry in gallery] == shown
    assert all(entry["is_best"] or not entry["unsure"] for entry in gallery)


def test_a_clip_tells_truth_answer_and_how_sure():
    row = clip_row(predictions(np.array([0.25, 0.3, 0.9])), 1, 0.5)
    assert row == {
        "clip_id": "clip01",
        "source": "film<0>",
        "label": "following",
        "predicted": "walking",
        "coverage": 1.0,
        "said": "70 %",
    }
