"""What a bundle costs: timed, counted, and measured in a process of its own."""

import numpy as np
import pytest

from components.core.errors import ResourceError
from components.features.activation_layout import LOOKS, NUMBERS
from components.features.activations import multiply_adds
from components.features.views import View
from components.models import cost
from components.models.base import InputShapes
from components.models.bundle import Bundle, BundleInfo, write_bundle
from components.models.calibration import Calibration
from components.models.multiply_adds import of_network
from components.models.networks import build_network
from components.models.registry import definition_of


def info(model_id: str, **shapes) -> BundleInfo:
    return BundleInfo(
        *(model_id, {}, ("walk", "stalk"), "view", View(sampling="five", numbers=True)),
        *(InputShapes(**shapes), None, Calibration(), 0.5, 146, {}, {}, {}),
    )


ARRAYS = {"kernel": np.full((145, 1), 0.01), "bias": np.array([0.25])}


@pytest.mark.parametrize(
    ("seconds", "calls"),
    [
        pytest.param(0.001, 100, id="fast: so many calls"),
        pytest.param(0.5, 6, id="slow: so long"),
        pytest.param(9.0, 1, id="very slow: once"),
    ],
)
def test_calls_are_bounded_and_the_first_is_left_out(seconds, calls):
    now, asked = [0.0], []

    def call():
        now[0] += 60.0 if not asked else seconds
        asked.append(1)

    times_ms = cost.timed(call, lambda: now[0])
    assert len(asked) == calls + 1
    assert times_ms == pytest.approx([1000 * seconds] * calls)


def test_a_bundle_is_measured_in_its_own_process(tmp_path):
    write_bundle(tmp_path, info("logistic", numbers=(5, 29)), ARRAYS)
    found = cost.cost_of(tmp_path)
    assert (found.parameters, found.multiply_adds, found.calls) == (146, 145, 100)
    assert 0 < found.p50_ms <= found.p95_ms
    assert 20_000_000 < found.peak_bytes < 600_000_000, "an interpreter with numpy, without this process"


def test_a_model_that_looks_at_nothing_is_asked_too():
    found = cost.measure(Bundle(info("majority"), {"shares": np.array([0.4, 0.6])}))
    assert (found.multiply_adds, found.calls) == (0, 100)


def test_a_bundle_that_cannot_be_read_says_why(tmp_path):
    (tmp_path / "bundle.json").write_text("{}")
    with pytest.raises(ResourceError, match="schema_version is None"):
        cost.cost_of(tmp_path)


def test_a_classifier_of_frames_costs_every_frame():
    definition = definition_of("frame_vgg19")
    of_clip = Bundle(info("frame_vgg19", frames=(5, 32, 32, 3)), {})
    network = build_network(
        "frame_vgg19", definition, definition.settings(), of_clip.info.shapes, len(of_clip.info.classes)
    )
    assert cost.multiply_adds(of_clip) == 5 * of_network(network)


def test_a_model_of_activations_pays_for_the_networks_below_it(monkeypatch):
    monkeypatch.setattr(cost, "LOOKED_AT", (6, 48, 64))
    monkeypatch.setattr(cost, "LONGEST_S", 0.01)
    arrays = {
        f"network_{k}/{name}": values
        for k, look in enumerate(LOOKS)
        for name, values in {
            "mean": np.zeros(look.width),
            "scale": np.ones(look.width),
            "kernel": np.zeros((look.width, 1)),
            "bias": np.zeros(1),
        }.items()
    }
    found = cost.measure(Bundle(info("tailwatch_net", activations=(NUMBERS,)), arrays))
    lines = sum(look.width for look in LOOKS)
    assert found.multiply_adds == lines + multiply_adds(6) > 1e9


def test_the_machine_is_known_without_its_name():
    import socket

    facts = cost.machine_facts()
    assert facts["processor"]
    assert socket.gethostname() not in facts.values()
