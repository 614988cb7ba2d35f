import pytest
import yaml

from components.core.errors import UsageError
from components.models.registry import MODELS, definition_of, model_settings
from components.training.settings import settings_for
from pipelines.params import ROOT_VARIABLE, STORE_VARIABLE, read_params
from pipelines.profile import profiles, use_profile

SHORT = {"kind": "dense", "per_second": 10, "frames": 5}


@pytest.fixture
def values(project_root):
    return yaml.safe_load((project_root / "pipelines/profiles/demo.yaml").read_text())


def _with_rule(values, **rule):
    values["models"]["inception_rule"] = {"view": "people128", "runs_on": "cpu", **rule}


def _read(folder, values):
    (folder / "params.yaml").write_text(yaml.safe_dump(values))
    return read_params(folder)


@pytest.mark.parametrize("name", [row["profile"] for row in profiles()])
def test_every_profile_is_whole(tmp_path, name):
    use_profile(tmp_path, name)
    params = read_params(tmp_path)
    assert {"majority", *params.compare.baselines} <= set(params.models)
    assert len(params.models) > len(params.compare.baselines)


def test_a_class_of_machine_without_a_gpu_need_not_say_so(tmp_path, values):
    del values["resources"]["cpu"]["gpu"]
    assert _read(tmp_path, values).resources["cpu"].gpu == 0


def test_the_profile_of_paper_003_has_its_rule(tmp_path):
    use_profile(tmp_path, "paper003")
    params = read_params(tmp_path)
    own = {name: value for name, value in params.model("inception_rule").settings.items() if name != "train"}
    rule = model_settings("inception_rule", own)
    assert (rule.threshold, rule.comparison, rule.max_frames) == (80.0, "ge", 500)
    assert (rule.min_count, rule.mode) == (10, "consecutive")
    assert (params.views["scene299"].height, rule.weights) == (299, "imagenet")
    assert len(params.dataset.classes) == 14
    assert params.dataset.classes[0] == "Normal_Videos"  # the rule takes the first for the normal one


@pytest.mark.parametrize("name", ["paper004", "paper004_binary"])
def test_the_profiles_of_paper_004_have_its_split_and_differences(tmp_path, name):
    use_profile(tmp_path, name)
    params = read_params(tmp_path)
    assert params.split.fractions.test == 0.25
    assert params.views["motion240"].difference


@pytest.mark.parametrize("name", ["paper003", "paper004"])
def test_two_classes_hold_the_same_videos_as_fourteen(tmp_path, name):
    use_profile(tmp_path, name)
    fourteen = read_params(tmp_path).dataset
    use_profile(tmp_path, f"{name}_binary")
    two = read_params(tmp_path).dataset
    assert tuple(two.label_map) == fourteen.classes
    normal, other = two.classes
    assert list(two.label_map.values()) == [normal] + 13 * [other]


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


MACHINE = {"pool": "cpu", "cpu": 1, "memory": "1Gi", "minutes": 1, "retries": 0}
OUT_OF_RANGE = [  # section, what is set in it, how the message begins
    (
        "evaluate",
        {"bootstrap": {"level": 95}},
        "bootstrap.level is 95.0. Wanted: a share from 0 on",
    ),
    ("evaluate", {"bootstrap": {"samples": 0}}, "bootstrap.samples is 0. Wanted: 1 or more"),
    ("compare", {"bootstrap": {"seed": -1}}, "bootstrap.seed is -1. Wanted: 0 or more"),
    ("gate", {"samples": 0}, "gate.samples is 0. Wanted: 1 or more"),
    ("gate", {"min_groups": -3}, "gate.min_groups is -3. Wanted: 0 or more"),
    ("gate", {"champion_confidence": 1.0}, "gate.champion_confidence is 1.0. Wanted: a share from 0.5 on"),
    ("featurize", {"min_coverage": 50}, "featurize.min_coverage is 50.0. Wanted: 0 to 1"),
    ("train", {"seed": 2**40}, "train.seed is 1099511627776. Wanted: 0 to 4294967295"),
    ("split", {"fractions": {"train": 0.9}}, "split.fractions are .0.9, 0.2, 0.2.. Wanted: shares of train"),
    ("report", {"clips_per_class": -1}, "report.clips_per_class is -1. Wanted: 0 or more"),
    ("resources", {"cpu": MACHINE | {"minutes": -1}}, "resources.cpu.minutes is -1. Wanted: 1 or more"),
    ("resources", {"cpu": MACHINE | {"parts": 0}}, "resources.cpu.parts is 0. Wanted: 1 or more"),
    (
        "resources",
        {"cpu": MACHINE | {"memory": "8 gigs"}},
        "resources.cpu has pool 'cpu' and memory '8 gigs'",
    ),
]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(lambda v: v.update(modles={}), r"params\.modles is not known", id="unknown section"),
        pytest.param(
            lambda v: v["dataset"].update(options={"list": 1}), r"dataset\.options\.list is not", id="option"
        ),
        pytest.param(
            lambda v: v["dataset"].update(adapter="ufc"), r"adapter `ufc` is not known", id="adapter"
        ),
        pytest.param(
            lambda v: v["dataset"].update(label_map={"walk": "calm"}),
            r"dataset\.label_map\.walk is calm\. Wanted: one of dataset\.classes: non_stalking",
            id="a label that is no class",
        ),
        pytest.param(
            lambda v: v["dataset"].update(label_map={False: "stalking"}),
            r"dataset\.label_map has the key false.*quotes",
            id="no, which YAML reads as false",
        ),
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
            lambda v: v["models"].update(lrcn={"view": "people128", "dropout": 0.5}),
            r"models\.lrcn names no runs_on\. Wanted: runs_on: one of cpu, gpu\. To do: write "
            r"`lrcn: \{view: people128, runs_on: cpu, dropout: 0\.5\}` under models in params\.yaml",
            id="no class of machine",
        ),
        pytest.param(
            lambda v: v["models"]["fusion"].update(runs_on="tpu"), r"runs_on: tpu", id="unknown class"
        ),
        pytest.param(
            lambda v: v["models"].update(logisitc={"view": "numbers", "runs_on": "cpu"}),
            "`logisitc` is not known",
            id="model",
        ),
        pytest.param(
            lambda v: v["models"]["logistic"].update(lr=3), r"models\.logistic\.lr is not", id="own setting"
        ),
        pytest.param(lambda v: v["compare"].update(baselines=["majorty"]), "`majorty` is not", id="baseline"),
        pytest.param(lambda v: v["gate"].update(min_accuracy=60), r"gate\.min_accuracy is 60", id="percent"),
        pytest.param(lambda v: v["dataset"].update(classes=["a"]), r"dataset\.classes", id="one class"),
        *(
            pytest.param(
                lambda v, section=section, change=change: v[section].update(change), message, id=message
            )
            for section, change, message in OUT_OF_RANGE
        ),
        pytest.param(
            lambda v: v["dataset"].update(classes=["a", "b", "b"]), "each once", id="a class named twice"
        ),
        pytest.param(
            lambda v: v["protocol"].update(kind="kfold", seeds=[-1]), "different seeds from 0", id="fold seed"
        ),
        pytest.param(
            lambda v: v["train"].update(normal_quantile=2.0), r"normal_quantile is 2\.0", id="quantile"
        ),
        pytest.param(
            lambda v: v["ingest"].update(near_duplicate_agreement=float("nan")),
            "near_duplicate_agreement is nan",
            id="agreement",
        ),
        pytest.param(
            lambda v: v["views"]["numbers"].update(activations=True),
            "a dense sampling of 10 per second",
            id="activations of other frames",
        ),
        pytest.param(
            lambda v: (
                v["views"]["numbers"].update(activations=True, background="keep"),
                v["samplings"].update({v["views"]["numbers"]["sampling"]: SHORT}),
            ),
            "of 6 frames or more",
            id="activations of too few frames",
        ),
        pytest.param(
            lambda v: (
                v["models"].update(frame_inception_v3={"view": "people128", "runs_on": "cpu"}),
                v["views"]["people128"].update(height=64, width=96),
            ),
            r"64 x 96 pixels, for models\.frame_inception_v3.*75 pixels or more",
            id="frames too small for a backbone",
        ),
        pytest.param(
            lambda v: v["models"].update(
                lrcn={"view": "people128", "runs_on": "cpu", "pools": [4, 4, 2]},
            ),
            r"filters: \[16, 32, 64, 64\] with pools: \[4, 4, 2\]\. Wanted: one pooling for each block",
            id="a block without its pooling",
        ),
        pytest.param(
            _with_rule,
            r"views\.people128 has 5 frames, of which models\.inception_rule wants 10.*never sound",
            id="a rule of more frames than the view has",
        ),
        pytest.param(
            lambda v: _with_rule(v, min_count=5, comparison="gt"),
            r"has 5 frames, of which models\.inception_rule wants 6.*lower min_count",
            id="a rule of more than all frames",
        ),
        pytest.param(
            lambda v: v["split"].update(stratified=True),
            r"split\.stratified with split\.strategy group",
            id="stratified",
        ),
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


def test_the_error_of_an_absent_model_names_all_that_its_line_needs(tmp_path, values):
    with pytest.raises(
        UsageError, match=r"add a line `lrcn: \{view: \.\.\., runs_on: \.\.\.\}` under models"
    ):
        _read(tmp_path, values).model("lrcn")


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


OURS = {"tailwatch_net", "majority", "logistic"}
OF_000 = {"optimizer": "adam", "learning_rate": 1e-3, "decay": 5e-4, "lr_decay_kind": "inverse_time"}
OF_002 = {"optimizer": "adam", "learning_rate": 1e-3, "lr_decay_kind": "none", "epochs": 50, "batch": 4}
OF_004 = {"optimizer": "rmsprop", "learning_rate": 1e-4, "lr_decay_kind": "none", "epochs": 100}
RESNET50 = {"backbone": "resnet50", "weights": "imagenet"}
PAPERS = [  # profile, model, how it is trained, its own settings
    ("paper", "vgg16", OF_000, {"weights": "imagenet"}),  # the weights are ours
    ("paper", "vgg16_mlp", OF_000, {"weights": "imagenet"}),
    ("paper", "convlstm", OF_000, {"filters": (4, 8, 14, 16)}),
    ("paper", "fusion", OF_000, {"mlp_units": (64, 16, 4), "fusion_units": (16, 8)}),
    (
        "paper001",  # all but the layers is ours
        "cnn_lstm",
        {"optimizer": "adam", "learning_rate": 1e-4, "patience": 10, "lr_decay_kind": "none"},
        {"backbone": "mobilenet_v2", "lstm_units": 128, "dense_units": (256, 64)},
    ),
    ("paper002", "lrcn", OF_002 | {"epochs": 70, "patience": 15}, {"dropout": 0.25}),  # Table 2
    ("paper002", "convlstm64", OF_002 | {"patience": 10}, {"filters": (4, 8, 14, 16)}),
    ("paper002", "mobilenet_lstm", OF_002, {"weights": "imagenet"}),
    ("paper002", "mobilenet_bilstm", OF_002, {"weights": "imagenet"}),
    ("paper002", "mobilenet_reslstm", OF_002, {"weights": "imagenet"}),
    ("paper002", "frame_vgg19", OF_002, {"weights": "imagenet"}),
    ("paper002", "frame_inception_v3", OF_002, {"weights": "imagenet"}),
    ("paper002", "frame_resnet50_v2", OF_002, {"weights": "imagenet"}),
    ("paper003", "inception_rule", {}, {"weights": "imagenet", "threshold": 80.0, "min_count": 10}),  # IV
    ("paper003", "cnn3d_lstm", {}, {"weights": "imagenet", "lstm_units": 128}),  # ours
    (
        "paper003_binary",  # ours, but for the reconstruction
        "stae",
        {"optimizer": "adam", "learning_rate": 1e-4, "lr_decay_kind": "none", "normal_quantile": 0.95},
        {"target": "reconstruct", "filters": 16, "kernel": 7, "temporal_filters": (32, 16)},
    ),
    ("paper004", "resnet_convgru", OF_004, RESNET50 | {"initializer": "glorot_uniform"}),  # IV-B
    ("paper004", "resnet_convlstm", OF_004, RESNET50),
    ("paper004", "c3d", {"optimizer": "sgd", "learning_rate": 3e-3, "batch": 30}, {"dropout": 0.5}),
    ("paper004_binary", "resnet_convgru", OF_004, RESNET50 | {"initializer": "glorot_uniform"}),
    ("paper004_binary", "resnet_convlstm", OF_004, RESNET50),
    ("paper004_binary", "c3d", {"optimizer": "sgd", "learning_rate": 3e-3, "batch": 30}, {"dropout": 0.5}),
    ("paper004_binary", "one_class_svm", {}, {"nu": 0.1}),
    ("paper004_binary", "conv_autoencoder", OF_004, {"filters": (512, 256, 128)}),  # Hasan et al. 2016
    (
        "paper004_binary",  # Sultani et al. 2018
        "mil_ranking",
        {"optimizer": "adagrad", "learning_rate": 1e-3, "lr_decay_kind": "none", "batch": 60},
        {"units": (512, 32), "dropout": 0.6, "constraints": True},
    ),
]


def test_every_model_of_a_paper_stands_in_a_paper_s_profile(tmp_path):
    papers = [row["profile"] for row in profiles() if row["profile"].startswith("paper")]
    found = set()
    for name in papers:
        use_profile(tmp_path, name)
        found |= {(name, model) for model in set(read_params(tmp_path).models) - OURS}
    assert {model for _, model in found} == set(MODELS.names()) - OURS
    named = {(profile, model) for profile, model, _, _ in PAPERS}
    assert {model for _, model in named} == set(MODELS.names()) - OURS
    assert named <= found


@pytest.mark.parametrize(
    ("profile", "model", "trained", "own"),
    [pytest.param(*case, id=f"{case[0]} {case[1]}") for case in PAPERS],
)
def test_papers_hyper_parameters(profile, model, trained, own, tmp_path):
    use_profile(tmp_path, profile)
    params = read_params(tmp_path)
    chosen, definition = params.model(model), definition_of(model)
    training = settings_for(model, params.train, chosen.settings.get("train"))
    assert {name: getattr(training, name) for name in trained} == trained
    settings = model_settings(
        model, {name: value for name, value in chosen.settings.items() if name != "train"}
    )
    assert {name: getattr(settings, name) for name in own} == own
    view = params.views[chosen.view]
    definition.check_view(chosen.view, view)
    if "frames" in definition.streams:
        frames = view.focus.frames if view.focus else params.samplings[view.sampling].frames
        assert (frames, view.height, view.width, 3) == definition.paper_shapes.frames
