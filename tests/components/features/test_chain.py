"""A clip's tensors, from frames that lie in the store."""

import numpy as np
import pytest

from components.core.errors import BadDataError
from components.datasets.clips import Clip
from components.faces.settings import FeaturizeSettings
from components.features.chain import ClipChain
from components.features.focused_bag import Focus, focused_bag
from components.features.keys import ChainSettings
from components.features.views import View, lay_out
from components.segmentation.base import SegmentSettings
from components.store.store import Store
from components.video.sampling import Sampling

CLIP = Clip("a/1.mp4", "a/1.mp4", None, None, "61", 1, "")
FRAMES = np.random.default_rng(27).integers(0, 256, (30, 16, 16, 3), np.uint8)
TIMES_S = 3.0 + np.arange(30) / 5
PLAIN = View("dense", 8, 8, background="keep")
FOCUSED = View(
    "dense", 8, 8, background="keep", difference=True, focus=Focus(frames=4, block=5, coverage=0.3)
)


def chain_of(folder, view, count=30):
    settings = ChainSettings(
        samplings={"dense": Sampling("dense", per_second=5)},
        segment=SegmentSettings(),
        featurize=FeaturizeSettings(sampling="dense"),
        views={"seen": view},
    )
    chain = ClipChain(Store(folder / "store"), settings, lambda clip: folder / "gone")
    arrays = {"frames": FRAMES[:count], "times_s": TIMES_S[:count]}
    chain.store.put("frames", chain.keys.frames(CLIP, "dense"), arrays, {"span_s": count / 5})
    return chain


@pytest.mark.parametrize(
    ("view", "frames", "kept"),
    [pytest.param(PLAIN, 30, 30, id="all frames"), pytest.param(FOCUSED, 4, 10, id="those in focus")],
)
def test_tensors_and_what_is_told_of_them(tmp_path, view, frames, kept):
    stored = chain_of(tmp_path, view).tensors(CLIP, "seen")
    np.testing.assert_array_equal(stored["frames"], lay_out(FRAMES, None, view).pixels)
    assert stored["frames"].shape == (frames, 8, 8, 3)
    assert (stored.meta["frames"], stored.meta["kept"]) == (30, kept)
    shown = focused_bag(FRAMES, view.focus).indices if view.focus else np.arange(30)
    assert stored.meta["times_s"] == TIMES_S[shown].tolist()


def test_another_focus_has_another_key(tmp_path):
    keys = {
        chain_of(tmp_path, view).keys.tensors(CLIP, "seen")
        for view in (PLAIN, FOCUSED, View("dense", 8, 8, background="keep", focus=Focus()))
    }
    assert len(keys) == 3


def test_a_clip_too_short_for_activations_says_for_which_view_and_what_it_needs(tmp_path):
    with pytest.raises(BadDataError) as refused:
        chain_of(tmp_path, View("dense", activations=True), count=5).activations(CLIP, "seen")
    assert refused.value.came == (
        "Too short for views.seen: 5 frames in 1 s, and its activations need 6, 10 per second"
    )
    assert "disable the models of views.seen" in refused.value.remedy
