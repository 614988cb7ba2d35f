"""dvc.yaml as its readers see it."""

import pytest

from components.core.errors import UsageError
from pipelines.params import read_params
from pipelines.stage_graph import declared, read_stages, stage_names


def test_names_are_dvcs(project_root):
    names = stage_names(project_root, read_params(project_root))
    assert names[0] == "ingest"
    assert {"reshape@people128", "train@fusion", "evaluate@logistic", "compare"} <= set(names)


def test_deps_keep_the_mark_of_their_item(project_root):
    assert "outs/reshape/${item.view}" in declared(project_root, "train", "deps")
    assert "components/video" in declared(project_root, "extract", "deps")


def test_a_folder_that_is_no_project(tmp_path):
    with pytest.raises(UsageError, match=r"dvc\.yaml is not there"):
        read_stages(tmp_path)
