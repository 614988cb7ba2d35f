"""Which face is person A and which is person B, all through a clip.

Source: paper 000, III-F: only the front two persons count. Which is which, it does not say; the rest is ours:
A has the largest face of the first frame with two faces, B the second. From that frame on, and back from it,
both are followed, and both find their faces in a frame at the same time, so they cannot swap or share one.
"""

from collections.abc import Iterable, Sequence
from itertools import product
from math import hypot, inf

from components.faces.boxes import Box, area, centre, iou, moved, side
from components.faces.face import Face

MAX_MOVE = 4.0  # face sides between two frames; more is somebody else
MAX_GROWTH = 2.5  # in side, between two frames
Slots = tuple[int | None, int | None]


def assign(frames: Sequence[Sequence[Face]], person_order: str) -> list[Slots]:
    """For each frame the indices of A's and B's face among that frame's faces, None where one is not seen.

    Args:
        frames: the faces of each frame of one clip, in the order of time.
        person_order: `area` or `left_to_right`.
    """
    slots: list[Slots] = [(None, None)] * len(frames)
    crowded = [k for k, faces in enumerate(frames) if len(faces) >= 2]
    peopled = crowded or [k for k, faces in enumerate(frames) if faces]
    if not peopled:
        return slots
    first = peopled[0]
    slots[first] = _order(frames[first], person_order)
    _follow(frames, slots, first, range(first + 1, len(frames)))
    _follow(frames, slots, first, range(first - 1, -1, -1))
    return slots


def _order(faces: Sequence[Face], person_order: str) -> Slots:
    """The two front faces of one frame; equal areas by score, then from left to right."""
    front = sorted(range(len(faces)), key=lambda k: (-area(faces[k].box), -faces[k].score, faces[k].box[0]))[
        :2
    ]
    if person_order == "left_to_right":
        front.sort(key=lambda k: centre(faces[k].box)[0])
    return front[0], front[1] if len(front) > 1 else None


def _follow(frames: Sequence[Sequence[Face]], slots: list[Slots], first: int, order: Iterable[int]) -> None:
    """Fill `slots` for the frames of `order`, which leads away from the frame `first`."""
    tracks: tuple[list[tuple[int, Box]], list[tuple[int, Box]]] = ([], [])
    _extend(tracks, first, frames[first], slots[first])
    for k in order:
        slots[k] = _match([_expected(track, k) for track in tracks], frames[k])
        _extend(tracks, k, frames[k], slots[k])


def _extend(tracks: Sequence[list[tuple[int, Box]]], k: int, faces: Sequence[Face], slots: Slots) -> None:
    for track, found in zip(tracks, slots, strict=True):
        if found is not None:
            track.append((k, faces[found].box))


def _expected(track: list[tuple[int, Box]], k: int) -> Box | None:
    """Where a followed face should be in frame `k` if it goes on as it went."""
    if not track:
        return None
    last, box = track[-1]
    if len(track) == 1:
        return box
    before, earlier = track[-2]
    (x1, y1), (x0, y0) = centre(box), centre(earlier)
    ahead = (k - last) / (last - before)
    return moved(box, (x1 - x0) * ahead, (y1 - y0) * ahead)


def _match(expected: Sequence[Box | None], faces: Sequence[Face]) -> Slots:
    """The pair of faces that fits both persons best; being unseen costs as much as the largest step."""
    choices = [None, *range(len(faces))]
    pairs = [(a, b) for a, b in product(choices, choices) if a is None or a != b]
    best: Slots = min(
        pairs, key=lambda pair: sum(_cost(expected[slot], faces, pair[slot]) for slot in (0, 1))
    )
    return best


def _cost(expected: Box | None, faces: Sequence[Face], found: int | None) -> float:
    if found is None:
        return MAX_MOVE + 1
    if expected is None:
        return inf
    box = faces[found].box
    larger, smaller = max(side(box), side(expected)), min(side(box), side(expected))
    (x1, y1), (x0, y0) = centre(box), centre(expected)
    step = hypot(x1 - x0, y1 - y0) / max(smaller, 1e-6)
    if step > MAX_MOVE or larger > MAX_GROWTH * smaller:
        return inf
    return step + 1 - iou(box, expected)
