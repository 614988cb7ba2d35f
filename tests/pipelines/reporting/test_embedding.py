"""report: the challenger's features on a plane."""

import re

import numpy as np

from pipelines.reporting.embedding import embedding_section, scatter
from pipelines.reporting.explained import Models
from tests.pipelines.explained import N, T, comparison, explained_project, predictions


def test_val_and_test_clips_are_laid_out(tmp_path):
    found = embedding_section(explained_project(tmp_path))
    assert (found["model"], found["why_not"], found["of_network"]) == ("logistic", "", False)
    assert found["n"] == found["n_all"] == N - 1, "all but the train clip"
    assert found["width"] == T * 29
    assert found["chart"].count("<circle") == N - 1
    assert found["chart"] == embedding_section(explained_project(tmp_path))["chart"]


def test_class_side_and_verdict_are_marked():
    clips = predictions(np.array([0.1, 0.2, 0.9, 0.9, 0.2]))  # 1 and 2 are wrong, 3 on val, 4 on train
    svg = scatter(clips, np.arange(10.0).reshape(5, 2))
    assert re.findall(r'class="dot (\w+)( quoted)?"', svg) == [
        ("s2", ""), ("s1", ""), ("s2", ""), ("s1", " quoted"), ("s2", ""),
    ]  # fmt: skip
    assert svg.count('class="cross"') == 4
    assert "clip01, film&lt;0&gt;: following, called walking (test)" in svg
    assert "clip03, film&lt;1&gt;: following, right (val)" in svg


def test_a_model_without_bundle_says_so(tmp_path):
    models = explained_project(tmp_path)
    found = embedding_section(Models(models.project, comparison(challenger="majority")))
    assert found == {"model": "majority", "why_not": "there is no bundle in outs/train"}


def test_without_a_challenger_there_is_nothing(tmp_path):
    models = explained_project(tmp_path)
    assert embedding_section(Models(models.project, comparison(challenger=None))) is None
