import pytest
import yaml

from components.core.errors import UsageError
from pipelines.params import ROOT_VARIABLE, STORE_VARIABLE, read_params
from pipelines.profile import profiles, use_profile


@pytest.fixture
def values(project_root):
    return yaml.safe_load((project_root / "pipelines/profiles/demo.yaml").read_text())


def _read(folder, values):
    (folder / "params.yaml").write_text(yaml.safe_dump(values))
    return read_params(folder)


@pytest.mark.parametrize("name", [row["profile"] for row in profiles()])
def test_every_profile_is_whole(tmp_path, name):
    use_profile(tmp_path, name)
    params = read_params(tmp_path)
    assert {"majority", "logistic", "fusion"} <= set(params.models)


def test_a_profile_takes_another_root(tmp_path):
    use_profile(tmp_path, "fights", "/data/my fights #1")
    assert read_params(tmp_path).dataset.root == "/data/my fights #1"


def test_the_environment_goes_before_params(tmp_path, values, monkeypatch):
    params = _read(tmp_path, values)
    assert params.dataset_root() == "data/sample"
    monkeypatch.setenv(ROOT_VARIABLE, "s3://clips/all")
    assert params.dataset_root() == "s3://clips/all"
    assert params.store_root() == ".tailwatch/store"
    monkeypatch.setenv(STORE_VARIABLE, "s3://team/store")
    assert params.store_root() == "s3://team/store"


def test_a_model_without_its_own_view_section_is_refused(tmp_path, values):
    values["models"]["fusion"]["view"] = "wide"
    with pytest.raises(UsageError, match=r"views\.wide is asked for but not there"):
        _read(tmp_path, values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(lambda v: v.update(modles={}), r"params\.modles is not known", id="unknown section"),
        pytest.param(lambda v: v.pop("dataset"), r"params\.dataset is missing", id="missing section"),
        pytest.param(lambda v: v["models"].pop("fusion"), r"views\.people128 is used by no", id="idle view"),
        pytest.param(
            lambda v: v["samplings"].update(dense={"kind": "dense", "per_second": 5}),
            r"samplings\.dense is used by no",
            id="idle sampling",
        ),
        pytest.param(
            lambda v: v["models"]["fusion"].pop("view"), r"models\.fusion names no view", id="no view"
        ),
        pytest.param(
            lambda v: v["models"]["fusion"].update(runs_on="tpu"), r"runs_on: tpu", id="unknown class"
        ),
        pytest.param(
            lambda v: v["models"].update(logisitc={"view": "numbers"}), "`logisitc` is not known", id="model"
        ),
        pytest.param(
            lambda v: v["models"]["logistic"].update(lr=3), r"models\.logistic\.lr is not", id="own setting"
        ),
        pytest.param(lambda v: v["compare"].update(baselines=["majorty"]), "`majorty` is not", id="baseline"),
        pytest.param(lambda v: v["gate"].update(min_accuracy=60), r"gate\.min_accuracy is 60", id="percent"),
        pytest.param(lambda v: v["dataset"].update(classes=["a"]), r"dataset\.classes", id="one class"),
        pytest.param(lambda v: v["store"].update(max_gb=0), r"store\.max_gb is 0", id="no room"),
        pytest.param(
            lambda v: v["segment"].update(backend="magic"), r"segment\.backend is 'magic'", id="backend"
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path, values, change, message):
    change(values)
    with pytest.raises(UsageError, match=message):
        _read(tmp_path, values)


@pytest.mark.parametrize("share", [-0.1, 1.5, 10, float("nan")])
def test_a_share_of_bad_clips_lies_between_0_and_1(tmp_path, values, share):
    values["ingest"]["max_bad_fraction"] = share
    with pytest.raises(UsageError, match=r"ingest\.max_bad_fraction is"):
        _read(tmp_path, values)


@pytest.mark.parametrize("content", [b"a: [", b"- 1", b"a: \xe4"], ids=["no YAML", "no mapping", "no UTF-8"])
def test_a_broken_file_is_a_usage_error(tmp_path, content):
    (tmp_path / "params.yaml").write_bytes(content)
    with pytest.raises(UsageError):
        read_params(tmp_path)


def test_a_profile_keeps_what_was_edited_by_hand(tmp_path):
    use_profile(tmp_path, "demo")
    use_profile(tmp_path, "fights")
    assert not (tmp_path / "params.yaml.bak").exists()
    edited = (tmp_path / "params.yaml").read_text() + "# mine\n"
    (tmp_path / "params.yaml").write_text(edited)
    use_profile(tmp_path, "demo")
    assert (tmp_path / "params.yaml.bak").read_text() == edited
