"""What tells stalking from not: the relation of two heads, and nothing of one head alone."""

import numpy as np
import pytest

from components.simulation.behaviour import LABELS, MANNERS, Stage, Tracks, act, deal_manners

STAGE = Stage(width_px=960, height_px=540, per_second=12, near_face_px=130, eye_line_px=180)
EACH = 300


@pytest.fixture(scope="module")
def played() -> dict[str, list[Tracks]]:
    rng = np.random.default_rng(0)
    return {
        label: [
            act(manner, 40, STAGE, np.random.default_rng([k, i]))
            for i, manner in enumerate(deal_manners(label, EACH, rng))
        ]
        for k, label in enumerate(LABELS)
    }


def yaws(clips: list[Tracks]) -> np.ndarray:
    """Middle yaw of the near and the far person, (clips, 2)."""
    return np.array([np.median(tracks.pose_deg[:, :, 0], axis=0) for tracks in clips])


def sides(clips: list[Tracks]) -> np.ndarray:
    return np.array([np.sign(tracks.at_px[:, 0, 0] - tracks.at_px[:, 1, 0]).mean() for tracks in clips])


def test_the_near_face_is_larger_and_both_stay_in_the_frame(played: dict[str, list[Tracks]]) -> None:
    for tracks in played["stalking"] + played["non_stalking"]:
        assert (tracks.face_px[:, 0] > tracks.face_px[:, 1]).all()
        assert (tracks.at_px[:, :, 0] > 0.1 * STAGE.width_px).all()
        assert (tracks.at_px[:, :, 0] < 0.9 * STAGE.width_px).all()


@pytest.mark.parametrize("person", [pytest.param(0, id="near"), pytest.param(1, id="far")])
def test_one_head_alone_tells_nothing(played: dict[str, list[Tracks]], person: int) -> None:
    both = [np.sort(yaws(played[label])[:, person]) for label in LABELS]
    apart = [np.searchsorted(values, np.linspace(-45, 45, 91)) / EACH for values in both]
    assert np.abs(apart[0] - apart[1]).max() < 0.14


def test_sides_and_sizes_tell_nothing(played: dict[str, list[Tracks]]) -> None:
    for measure in (sides, lambda clips: np.array([t.face_px[:, 1].mean() for t in clips])):
        values = [measure(played[label]) for label in LABELS]
        spread = np.concatenate(values).std()
        assert abs(values[0].mean() - values[1].mean()) < 0.25 * spread


def test_the_follower_looks_at_who_looks_away(played: dict[str, list[Tracks]]) -> None:
    for label, share in (("stalking", 0.91), ("non_stalking", 0.09)):
        near, far = yaws(played[label]).T
        follows = (near * sides(played[label]) > 0) & (far * sides(played[label]) > 0)
        assert follows.mean() == pytest.approx(share, abs=0.04)


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("count", [1, 2, 7, 140])
def test_manners_are_dealt_in_their_shares(label: str, count: int) -> None:
    dealt = deal_manners(label, count, np.random.default_rng(3))
    assert len(dealt) == count
    for manner, share in MANNERS[label]:
        assert abs(dealt.count(manner) - share * count) < 1


def test_chance_comes_from_the_generator_alone() -> None:
    first, second = (act("follow", 30, STAGE, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first.pose_deg, second.pose_deg)
    np.testing.assert_array_equal(first.at_px, second.at_px)
