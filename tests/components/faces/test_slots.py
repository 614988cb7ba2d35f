"""Person A stays A, and B stays B."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.faces.face import Face
from components.faces.slots import assign


def face(x: float, y: float, size: float, score: float = 0.9) -> Face:
    return Face((x - size / 2, y - size / 2, x + size / 2, y + size / 2), score)


@pytest.mark.parametrize(
    ("frames", "order", "wanted"),
    [
        pytest.param([[face(50, 50, 20), face(200, 50, 40)]], "area", [(1, 0)], id="A is the larger face"),
        pytest.param(
            [[face(200, 50, 40), face(50, 50, 20)]], "left_to_right", [(1, 0)], id="A is on the left"
        ),
        pytest.param(
            [[face(200, 50, 30, 0.5), face(50, 50, 30, 0.9)]], "area", [(1, 0)], id="equal areas: the surer"
        ),
        pytest.param([[face(200, 50, 30), face(50, 50, 30)]], "area", [(1, 0)], id="all equal: the left one"),
        pytest.param([[], [], []], "area", [(None, None)] * 3, id="nobody"),
        pytest.param([[], [face(50, 50, 20)]], "area", [(None, None), (0, None)], id="one person is A"),
        pytest.param(
            [[face(52, 50, 20)], [face(200, 50, 40), face(50, 50, 20)]],
            "area",
            [(None, 0), (0, 1)],
            id="decided on the first frame with two, followed back",
        ),
        pytest.param(
            [[face(50, 50, 40), face(200, 50, 20)], [face(55, 50, 18), face(205, 50, 30)]],
            "area",
            [(0, 1), (0, 1)],
            id="a nearer B does not become A",
        ),
        pytest.param(
            [[face(50, 50, 40), face(200, 50, 30)], [face(205, 50, 30)]],
            "area",
            [(0, 1), (None, 0)],
            id="A gone: B stays B",
        ),
        pytest.param(
            [[face(50, 50, 40), face(200, 50, 30), face(300, 50, 10)], [face(300, 52, 10)]],
            "area",
            [(0, 1), (None, None)],
            id="a third person takes no slot",
        ),
        pytest.param(
            [[face(50, 50, 20), face(200, 50, 20)], [face(1000, 50, 20), face(200, 50, 20)]],
            "area",
            [(0, 1), (None, 1)],
            id="too far away to be the same person",
        ),
    ],
)
def test_slots(
    frames: Sequence[Sequence[Face]], order: str, wanted: list[tuple[int | None, int | None]]
) -> None:
    assert assign(frames, order) == wanted


paths = st.fixed_dictionaries(
    {
        "frames": st.integers(3, 12),
        "gap": st.floats(60, 200),
        "speed": st.floats(-25, 25),
        "near": st.floats(40, 60),
        "far": st.floats(24, 38),
        "crossing": st.booleans(),
        "swapped": st.lists(st.booleans(), min_size=12, max_size=12),
    }
)


@given(paths)
def test_slots_never_swap_while_two_people_cross(path: dict) -> None:
    """Two people walk on straight lines, perhaps past each other; the detector lists them in any order."""
    frames, truth = [], []
    for k in range(path["frames"]):
        a = face(300 + path["speed"] * k, 100, path["near"])
        towards = -path["speed"] if path["crossing"] else path["speed"]
        b = face(300 + path["gap"] + towards * k, 130, path["far"])
        swapped = path["swapped"][k]
        frames.append([b, a] if swapped else [a, b])
        truth.append((1, 0) if swapped else (0, 1))
    assert assign(frames, "area") == truth


@given(
    st.lists(
        st.lists(st.tuples(st.floats(0, 600), st.floats(0, 300), st.floats(10, 80)), max_size=4),
        min_size=1,
        max_size=6,
    )
)
def test_any_faces_give_valid_slots(places: list[list[tuple[float, float, float]]]) -> None:
    frames = [[face(*place) for place in frame] for frame in places]
    for faces, (a, b) in zip(frames, assign(frames, "area"), strict=True):
        assert a is None or 0 <= a < len(faces)
        assert b is None or 0 <= b < len(faces)
        assert a is None or a != b
