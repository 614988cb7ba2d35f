"""The two photographs that heads are made of, with the points marked on them by hand.

All numbers are pixels of the photograph (x right, y down, pixel centres at whole numbers), read off
magnified crops by eye; docs/pictures/marks-*.png shows them. No detector placed or checked them. Left is
the picture's left.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from components.core.errors import BadDataError, UsageError

POINT_NAMES = ("nose", "chin", "left_eye", "right_eye", "left_mouth", "right_mouth", "nose_tip")
"""Names of the marked points in their order everywhere here; nose is its base (subnasale)."""

Point = tuple[float, float]
Span = tuple[float, float, float]


@dataclass(frozen=True)
class Photograph:
    """One photograph and what was marked on it.

    Attributes:
        name: name in films and truth.
        package: import package whose wheel carries the file.
        file: path inside that package.
        licence: who made it, and why it may be used.
        points: the seven points of POINT_NAMES.
        hairline_y: where the forehead ends, guessed where hair or a hat covers it.
        own_yaw_deg: how far the photographed head is itself turned.
        own_roll_deg: how far the photographed head is itself tilted.
        outline: rows (y, left x, right x) of the whole head with hair, hat and ears, from the crown to the
            chin.
        face: rows (y, left x, right x) of the bare face.
        hair_box: x0, y0, x1, y1 of a patch of plain hair.
        skin_box: x0, y0, x1, y1 of a patch of plain skin.
        hat_bottom_y: rows above it belong to a hat, None without one.
    """

    name: str
    package: str
    file: str
    licence: str
    points: tuple[Point, ...]
    hairline_y: float
    own_yaw_deg: float
    own_roll_deg: float
    outline: tuple[Span, ...]
    face: tuple[Span, ...]
    hair_box: tuple[int, int, int, int]
    skin_box: tuple[int, int, int, int]
    hat_bottom_y: float | None = None

    @property
    def points_px(self) -> np.ndarray:
        """The seven points, (7, 2) float64."""
        return np.array(self.points, dtype=np.float64)

    @property
    def face_height_px(self) -> float:
        """Chin to hairline: the unit of length of everything made from this photograph."""
        return self.points[1][1] - self.hairline_y

    @property
    def centre_px(self) -> Point:
        """The middle between the outer corners of the eyes, where the head's axis runs."""
        left, right = self.points[2], self.points[3]
        return (left[0] + right[0]) / 2, (left[1] + right[1]) / 2


ASTRONAUT = Photograph(
    name="astronaut",
    package="skimage",
    file="data/astronaut.png",
    licence="NASA, Eileen Collins: public domain (work of the United States government)",
    points=(
        (225.2, 133.3),
        (225.0, 177.5),
        (193.3, 101.0),
        (258.6, 103.3),
        (203.0, 139.5),
        (244.6, 141.0),
        (223.4, 126.0),
    ),
    hairline_y=62.0,
    own_yaw_deg=-3.0,
    own_roll_deg=2.0,
    outline=(
        (14, 222, 240),
        (17, 212, 250),
        (22, 203, 262),
        (27, 196, 272),
        (35, 184, 283),
        (43, 174, 290),
        (53, 162, 294),
        (62, 157, 297),
        (75, 154, 300),
        (90, 154, 300),
        (100, 156, 299),
        (107, 161, 297),
        (114, 166, 292),
        (120, 171, 285),
        (126, 175, 279),
        (131, 178, 274),
        (136, 182, 269),
        (140, 183, 266),
        (149, 185, 265),
        (158, 189, 259),
        (165, 195, 252),
        (170, 201, 245),
        (174, 208, 239),
        (177, 217, 231),
    ),
    face=(
        (62, 192, 262),
        (80, 184, 267),
        (95, 181, 270),
        (110, 181, 270),
        (130, 182, 268),
        (140, 183, 266),
        (149, 185, 265),
        (158, 189, 259),
        (165, 195, 252),
        (170, 201, 245),
        (174, 208, 239),
        (177, 217, 231),
    ),
    hair_box=(262, 40, 292, 92),
    skin_box=(205, 155, 245, 170),
)

HOPPER = Photograph(
    name="hopper",
    package="matplotlib",
    file="mpl-data/sample_data/grace_hopper.jpg",
    licence="James S. Davis, US Navy, Grace Hopper: public domain (work of the United States government)",
    points=(
        (268.3, 251.5),
        (267.5, 329.0),
        (205.0, 193.5),
        (321.5, 192.3),
        (229.0, 280.5),
        (306.8, 279.0),
        (267.2, 234.0),
    ),
    hairline_y=118.0,
    own_yaw_deg=3.5,
    own_roll_deg=-0.8,
    outline=(
        (25, 246, 276),
        (28, 232, 290),
        (33, 222, 298),
        (41, 208, 306),
        (50, 195, 325),
        (60, 185, 342),
        (70, 177, 349),
        (80, 172, 353),
        (86, 160, 361),
        (95, 151, 366),
        (105, 149, 369),
        (130, 149, 370),
        (160, 151, 370),
        (175, 153, 370),
        (185, 155, 370),
        (200, 155, 373),
        (215, 157, 372),
        (230, 160, 369),
        (245, 164, 365),
        (260, 164, 362),
        (268, 168, 358),
        (275, 178, 352),
        (283, 190, 346),
        (294, 196, 338),
        (303, 199, 333),
        (310, 203, 329),
        (316, 208, 324),
        (321, 217, 317),
        (325, 229, 306),
        (328, 246, 289),
    ),
    face=(
        (118, 186, 338),
        (140, 180, 345),
        (170, 178, 348),
        (200, 178, 347),
        (230, 183, 345),
        (260, 190, 340),
        (280, 194, 337),
        (303, 199, 333),
        (310, 203, 329),
        (316, 208, 324),
        (321, 217, 317),
        (325, 229, 306),
        (328, 246, 289),
    ),
    hair_box=(346, 268, 357, 292),
    skin_box=(245, 300, 290, 318),
    hat_bottom_y=150.0,
)

PHOTOGRAPHS = {photograph.name: photograph for photograph in (ASTRONAUT, HOPPER)}


def mirrored(photograph: Photograph, width: int) -> Photograph:
    """The same marks on the photograph turned left to right; `width` is the photograph's, pixels."""
    nose, chin, left_eye, right_eye, left_mouth, right_mouth, tip = (
        (width - 1 - x, y) for x, y in photograph.points
    )

    def boxed(box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        return width - box[2], box[1], width - box[0], box[3]

    return replace(
        photograph,
        points=(nose, chin, right_eye, left_eye, right_mouth, left_mouth, tip),
        own_yaw_deg=-photograph.own_yaw_deg,
        own_roll_deg=-photograph.own_roll_deg,
        outline=tuple((y, width - 1 - right, width - 1 - left) for y, left, right in photograph.outline),
        face=tuple((y, width - 1 - right, width - 1 - left) for y, left, right in photograph.face),
        hair_box=boxed(photograph.hair_box),
        skin_box=boxed(photograph.skin_box),
    )


def packaged_file(package: str, file: str) -> Path:
    """Find a file inside an installed package without importing the package.

    Raises:
        UsageError: the package is not installed, or its wheel lacks the file.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise UsageError(
            f"package {package}: not installed", wanted=f"{package} with {file}", remedy="make setup"
        )
    path = Path(spec.origin).parent / file
    if not path.is_file():
        raise UsageError(
            f"{path}: no such file", wanted=f"{file} in the wheel of {package}", remedy="make setup"
        )
    return path


@lru_cache(maxsize=16)
def read_picture(package: str, file: str) -> np.ndarray:
    """Read a packaged picture, (H, W, 3) uint8 RGB.

    Raises:
        BadDataError: the file is no picture.
    """
    path = packaged_file(package, file)
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise BadDataError(
            f"{path}: not a picture", wanted="a PNG or JPEG", remedy=f"install {package} again"
        )
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def draw_marks(photograph: Photograph, magnify: int = 3) -> np.ndarray:
    """The face with its marked points and outlines, magnified, for looking at; (H, W, 3) uint8 RGB."""
    rows = np.array(photograph.outline)
    x0, x1 = int(rows[:, 1].min()) - 15, int(rows[:, 2].max()) + 15
    y0, y1 = max(int(rows[0, 0]) - 10, 0), int(rows[-1, 0]) + 25
    crop = read_picture(photograph.package, photograph.file)[y0:y1, x0:x1]
    picture = cv2.resize(crop, None, fx=magnify, fy=magnify, interpolation=cv2.INTER_CUBIC)

    def at(x: float, y: float) -> tuple[int, int]:
        return round((x - x0 + 0.5) * magnify), round((y - y0 + 0.5) * magnify)

    for spans, colour in ((photograph.outline, (255, 220, 0)), (photograph.face, (0, 220, 255))):
        ring = [at(left, y) for y, left, _ in spans] + [at(right, y) for y, _, right in spans[::-1]]
        cv2.polylines(picture, [np.array(ring)], True, colour, 1, cv2.LINE_AA)
    for name, (x, y) in zip(POINT_NAMES, photograph.points, strict=True):
        cv2.drawMarker(picture, at(x, y), (0, 255, 0), cv2.MARKER_CROSS, 14, 1, cv2.LINE_AA)
        for shift, colour in ((1, (0, 0, 0)), (0, (255, 255, 255))):
            text_at = at(x, y)[0] + 6 + shift, at(x, y)[1] - 5 + shift
            cv2.putText(picture, name, text_at, cv2.FONT_HERSHEY_SIMPLEX, 0.38, colour, 1, cv2.LINE_AA)
    return picture
