"""Making faces unrecognisable, and making sure: detectors look at the result until they find none."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import cv2
import numpy as np

from components.faces.boxes import Box, centre

FindFaces = Callable[[np.ndarray], list[Box]]
Finish = Callable[[np.ndarray], np.ndarray]

MIN_SCORE, SURE_SCORE = 0.42, 0.6  # a little below those that measuring uses
ENLARGED = (2.0,)  # scales at which a finished picture is looked at again
CELLS = (5, 4, 3, 2, 1)  # mosaic cells along a face's side, coarser at every failed look
GROWTH = 1.4  # a blurred ellipse over its box: hair, ears and beard tell people apart too
MAX_LOOKS = 8  # at which what is still found is blurred more
MAX_PAINTED = 12  # looks at which what is still taken for a face is painted over
HEAD_OF_STANDING, HEAD_OF_CLOSE = 0.17, 0.35  # share of a person's visible height
CLOSE_ASPECT = 0.6  # width over height from which a person is seen close by, not from head to foot
SMALLEST_PERSON = 0.002  # of the frame's area; less is noise of the segmentation


@cache
def all_detectors() -> FindFaces:
    """What any detector takes for a face: those of `default_detectors`, and one more easily persuaded."""
    from components.faces.blazeface import BlazeFace
    from components.faces.settings import BlazeFaceSettings, FeaturizeSettings

    blazeface = BlazeFaceSettings(min_score=MIN_SCORE, sure_score=SURE_SCORE, tiles_per_side=(1, 2))
    persuaded, others = BlazeFace(FeaturizeSettings(blazeface=blazeface)), default_detectors()
    return lambda picture: [*(face.box for face in persuaded.detect(picture)), *others(picture)]


@cache
def default_detectors() -> FindFaces:
    """What the default detector or dlib's takes for a face, set as they measure."""
    from components.faces.build import build_detector
    from components.faces.dlib_hog import DlibHog
    from components.faces.settings import FeaturizeSettings

    detectors = build_detector(FeaturizeSettings()), DlibHog(FeaturizeSettings())
    return lambda picture: [face.box for detector in detectors for face in detector.detect(picture)]


def looking_closer(find: FindFaces, closer: FindFaces) -> FindFaces:
    """`find` on a picture as it is, and `closer` on it enlarged, as a curious person would look at it."""

    def both(picture: np.ndarray) -> list[Box]:
        found = list(find(picture))
        for scale in ENLARGED:
            larger = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
            found += [_shrunk(box, scale) for box in closer(larger)]
        return found

    return both


def _shrunk(box: Box, scale: float) -> Box:
    left, top, right, bottom = (edge / scale for edge in box)
    return left, top, right, bottom


def _unchanged(picture: np.ndarray) -> np.ndarray:
    return picture


def without_faces(
    picture: np.ndarray, boxes: Sequence[Box], find: FindFaces, finish: Finish = _unchanged
) -> np.ndarray:
    """A picture in which `find` sees no face.

    Args:
        picture: (H, W, 3) uint8 RGB.
        boxes: where faces are known or likely.
        finish: what is done to the blurred picture before `find` looks at it.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    steps = dict.fromkeys(boxes, 0)
    finished = picture
    for _ in range(MAX_LOOKS):
        finished = finish(blur(picture, {box: CELLS[step] for box, step in steps.items()}))
        left = find(finished)
        if not left:
            return finished
        for face in left:
            _blur_more(steps, face)
    return _painted_over(finished, find)


def _blur_more(steps: dict[Box, int], face: Box) -> None:
    """Make the regions about a face that is still found coarser; without such regions, add its box."""
    coarsest = len(CELLS) - 1
    about = [box for box in steps if _holds(box, face) or _holds(face, box)]
    if all(steps[box] == coarsest for box in about):
        steps[face] = coarsest if about else 0
    for box in about:
        steps[box] = min(steps[box] + 1, coarsest)


def regions_to_blur(
    picture: np.ndarray, find: FindFaces, known: Sequence[Box], heads: Sequence[Box]
) -> list[Box]:
    """Faces that were measured, faces that are found now, and the heads on which no face was seen."""
    faces = [*known, *find(picture)]
    return [*faces, *(head for head in heads if not any(_holds(head, face) for face in faces))]


def _holds(box: Box, face: Box) -> bool:
    """Whether the face's centre lies in the box."""
    x, y = centre(face)
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def blur(picture: np.ndarray, regions: Mapping[Box, int]) -> np.ndarray:
    """Mosaic and then blur an ellipse about every box.

    Args:
        regions: boxes with the number of mosaic cells along their shorter side.
    """
    blurred = picture.copy()
    for box, cells in regions.items():
        _blur_one(blurred, box, cells)
    return blurred


def head_boxes(mask: np.ndarray) -> list[Box]:
    """Where the heads of the persons in a mask (H, W) bool must be, found or not."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    heads = []
    for k, (left, top, width, height, area) in enumerate(stats.tolist()):
        if k and area >= SMALLEST_PERSON * mask.size:
            heads += _heads_of(labels[top : top + height, left : left + width] == k, left, top)
    return heads


def _heads_of(person: np.ndarray, left: int, top: int) -> list[Box]:
    """A box over every peak of an outline: several persons may stand in one piece of a mask."""
    height, width = person.shape
    tall = max(2, round(height * (HEAD_OF_CLOSE if width > CLOSE_ASPECT * height else HEAD_OF_STANDING)))
    is_peak = person.any(axis=0) & (person.argmax(axis=0) < tall * 0.6)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], is_peak.astype(np.int8), [0]])))
    return [
        (float(left + start), float(top), float(left + end), float(top + tall))
        for start, end in zip(edges[::2], edges[1::2], strict=True)
        if end - start > tall / 4
    ]


def _blur_one(picture: np.ndarray, box: Box, cells: int) -> None:
    """Blur in place."""
    grown = _grown(box, picture.shape, GROWTH)
    if grown is None:
        return
    left, top, right, bottom = grown
    region = picture[top:bottom, left:right]
    height, width = region.shape[:2]
    cell = max(1.0, min(height, width) / (cells * GROWTH))
    size = max(1, round(width / cell)), max(1, round(height / cell))
    mosaic = cv2.resize(cv2.resize(region, size, interpolation=cv2.INTER_AREA), (width, height))
    soft = cv2.GaussianBlur(mosaic, (0, 0), cell / 2)
    weight = _ellipse(height, width)[..., None]
    picture[top:bottom, left:right] = np.rint(weight * soft + (1 - weight) * region).astype(np.uint8)


def _grown(box: Box, shape: tuple[int, ...], growth: float) -> tuple[int, int, int, int] | None:
    """Whole pixels of a box grown about its centre, inside the picture; None if it lies outside."""
    (x, y), half_width, half_height = (
        centre(box),
        (box[2] - box[0]) * growth / 2,
        (box[3] - box[1]) * growth / 2,
    )
    left, top = max(0, int(x - half_width)), max(0, int(y - half_height))
    right, bottom = min(shape[1], int(np.ceil(x + half_width))), min(shape[0], int(np.ceil(y + half_height)))
    return (left, top, right, bottom) if left < right and top < bottom else None


def _ellipse(height: int, width: int) -> np.ndarray:
    """(H, W) weights 0 to 1: an ellipse with a soft edge."""
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.clip((1.05 - np.sqrt(x * x + y * y)) / 0.12, 0, 1)


def _painted_over(picture: np.ndarray, find: FindFaces) -> np.ndarray:
    """Flat boxes, larger with every look, over what is still taken for a face."""
    painted = picture
    for look in range(MAX_PAINTED):
        left = find(painted)
        if not left:
            return painted
        painted = paint(painted, left, 1 + look / 2)
    return np.full_like(picture, picture.mean(axis=(0, 1)))


def paint(picture: np.ndarray, boxes: Sequence[Box], growth: float) -> np.ndarray:
    """Flat boxes of the mean colour of what they cover, so many times as large as what was found."""
    painted = picture.copy()
    for box in boxes:
        if grown := _grown(box, picture.shape, growth):
            region = painted[grown[1] : grown[3], grown[0] : grown[2]]
            region[:] = region.mean(axis=(0, 1))
    return painted
