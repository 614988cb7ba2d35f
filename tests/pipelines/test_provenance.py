"""Where results come from, as tags."""

from pipelines.provenance import provenance_so_far


def test_a_retraining_adds_its_own_tags(tmp_path, monkeypatch):
    plain = provenance_so_far(tmp_path).tags()
    monkeypatch.setenv("TAILWATCH_RUN_TAGS", '{"airflow.dag_id": "d", "tailwatch.dvc_lock": "not so"}')
    assert provenance_so_far(tmp_path).tags() == {**plain, "airflow.dag_id": "d"}
