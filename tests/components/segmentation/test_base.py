import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from components.core.errors import UsageError
from components.core.settings import parse
from components.core.weights import WEIGHTS
from components.segmentation.base import (
    MASK_RCNN_COCO_SHA256,
    REFERENCE_SIDE_PX,
    SEGMENTERS,
    MotionSettings,
    PixellibSettings,
    SegmentSettings,
    SelfieSettings,
    build_segmenter,
    dilate,
    pack_masks,
    unpack_masks,
    weights_digests,
)


@given(hnp.arrays(bool, hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=9)))
def test_masks_survive_packing(masks):
    packed = pack_masks(masks)
    assert packed.nbytes == -(-masks.size // 8)
    np.testing.assert_array_equal(unpack_masks(packed, masks.shape), masks)


def test_a_mask_grows_by_a_disc_of_the_reference_scale():
    mask = np.zeros((1, 360, REFERENCE_SIDE_PX), bool)
    mask[0, 100, 200] = True
    rows, columns = np.mgrid[:360, :REFERENCE_SIDE_PX]
    distance = np.hypot(rows - 100, columns - 200)
    grown = dilate(mask, 5)[0]
    assert grown[distance <= 4].all()
    assert not grown[distance > 5.5].any()


@pytest.mark.parametrize(("width", "radius"), [(320, 2), (640, 5), (1280, 10), (50, 0)])
def test_dilation_scales_with_the_frame(width, radius):
    mask = np.zeros((1, 40, width), bool)
    mask[0, 20, width // 2] = True
    assert dilate(mask, 5)[0, 20].sum() == 2 * radius + 1


def test_no_frames_stay_no_frames():
    assert dilate(np.zeros((0, 40, 640), bool), 5).shape == (0, 40, 640)


@pytest.mark.parametrize("backend", SEGMENTERS.names())
def test_every_segmenter_is_built_without_work(backend):
    settings = SegmentSettings(backend)
    assert callable(build_segmenter(settings).masks)
    assert all(len(digest) == 64 for digest in weights_digests(settings).values())


def test_weights_are_those_of_the_regions_in_use():
    assert list(weights_digests(SegmentSettings(selfie=SelfieSettings("frame")))) == [
        "selfie_segmentation_landscape"
    ]
    people = weights_digests(SegmentSettings(selfie=SelfieSettings("people")))
    assert people == {name: WEIGHTS[name].sha256 for name in ("pose_landmark_full", "pose_detection")}
    assert weights_digests(SegmentSettings("pixellib")) == {"mask_rcnn_coco": MASK_RCNN_COCO_SHA256}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param(
            SegmentSettings("selfie", motion=MotionSettings("dense")),
            SegmentSettings("selfie"),
            True,
            id="other backend",
        ),
        pytest.param(
            SegmentSettings("pixellib", pixellib=PixellibSettings("a.h5", threads=2)),
            SegmentSettings("pixellib", pixellib=PixellibSettings("b.h5")),
            True,
            id="path and threads",
        ),
        pytest.param(
            SegmentSettings("pixellib", pixellib=PixellibSettings(sha256="0" * 64)),
            SegmentSettings("pixellib"),
            False,
            id="digest",
        ),
        pytest.param(
            SegmentSettings("none", dilate_px=3.0), SegmentSettings("none"), True, id="none ignores all"
        ),
        pytest.param(SegmentSettings(dilate_px=3.0), SegmentSettings(), False, id="dilation"),
        pytest.param(
            SegmentSettings(selfie=SelfieSettings("frame")), SegmentSettings(), False, id="own option"
        ),
    ],
)
def test_settings_in_force_are_those_that_decide(one, other, same):
    assert (one.in_force() == other.in_force()) is same


def test_only_motion_asks_for_a_dense_sampling():
    motion = MotionSettings("dense12")
    assert SegmentSettings("motion", motion=motion).dense_sampling() == "dense12"
    assert SegmentSettings("selfie", motion=motion).dense_sampling() is None


def test_settings_come_from_params():
    settings = parse(
        SegmentSettings,
        {"backend": "selfie", "selfie": {"regions": "tiles", "tile_shares": [1, 0.5]}},
        "segment",
    )
    assert settings == SegmentSettings("selfie", selfie=SelfieSettings("tiles", tile_shares=(1.0, 0.5)))
    assert hash(settings) == hash(settings)


def test_a_strange_setting_is_refused():
    with pytest.raises(UsageError, match=r"segment\.selfie\.region is not known.*regions"):
        parse(SegmentSettings, {"selfie": {"region": "tiles"}}, "segment")


@given(st.integers(0, 3), st.integers(1, 9))
def test_none_keeps_every_pixel(frames, side):
    masks = build_segmenter(SegmentSettings("none")).masks(
        np.zeros((frames, side, side, 3), np.uint8), np.arange(frames, dtype=float), None
    )
    assert masks.shape == (frames, side, side)
    assert masks.dtype == bool
    assert masks.all()
