"""What can be chosen of the measuring of faces."""

from dataclasses import dataclass, field
from typing import Literal

from components.core.settings import check_range


@dataclass(frozen=True)
class DlibSettings:
    """dlib's frontal face detector and its 68-point predictor.

    Attributes:
        upsample: times that the frame is doubled before the search.
        min_score: the detector's own decision value; below zero it finds more, true and false.
        predictor: path of another predictor with the same 68 points; by default the installed one.
        predictor_sha256: its digest.
    """

    upsample: int = 1
    min_score: float = 0.0
    predictor: str | None = None
    predictor_sha256: str | None = None


@dataclass(frozen=True)
class BlazeFaceSettings:
    """The full-range face network.

    Attributes:
        min_score: least probability of a face, 0 to 1, where the landmark network can say no to it.
        sure_score: the same for small faces, about which it cannot.
        tiles_per_side: after the whole frame, square tiles are searched, so many of them along the frame's
            shorter side; one entry for each finer look, taken until two faces are sure.
        look_closer_px: faces with a longer side below this get a second, close look, which must confirm them.
        tile_overlap: share of a tile that its neighbour covers too.
    """

    min_score: float = 0.45
    sure_score: float = 0.7
    tiles_per_side: tuple[int, ...] = (1,)
    look_closer_px: float = 40.0
    tile_overlap: float = 0.25


@dataclass(frozen=True)
class HeadPoseSettings:
    """How yaw and pitch follow from six points.

    Attributes:
        method: `euler` gives true angles; `line_slope` the widely copied recipe of slopes of projected lines.
        max_reprojection: worst root mean square distance between the points and the model's projection,
            as a share of the face's size; a worse fit has no pose.
    """

    method: Literal["euler", "line_slope"] = "euler"
    max_reprojection: float = 0.2


@dataclass(frozen=True)
class FeaturizeSettings:
    """Everything that decides the 29 numbers of a frame.

    Attributes:
        sampling: the name of the sampling whose frames are measured.
        look_in: where the detector looks: at people cut from the background first and then at what was
            there before the cut, or only at one of them.
        person_order: who is person A on the first frame with two faces.
        min_coverage: share of the wanted measurements below which a clip is flagged.
        nose_index_1based: which of the 68 points is the nose: 34 lies under it (paper 000), 31 is its tip.
        reference_width: width in pixels to which all coordinates and distances are rescaled.
        min_presence: least probability of a face, 0 to 1, by landmark networks that say one.
        small_face_px: longer side below which a landmark network's probability means nothing.
        smallest_face_px: smaller ones are left out.
    """

    sampling: str = "uniform5"
    detector: Literal["dlib_hog", "blazeface"] = "blazeface"
    landmarks: Literal["dlib68", "mediapipe"] = "mediapipe"
    look_in: Literal["segmented_then_frame", "segmented", "frame"] = "segmented_then_frame"
    person_order: Literal["area", "left_to_right"] = "area"
    min_coverage: float = 0.5
    nose_index_1based: Literal[31, 34] = 34
    reference_width: int | None = None
    min_presence: float = 0.6
    small_face_px: float = 26.0
    smallest_face_px: float = 12.0
    dlib: DlibSettings = field(default_factory=DlibSettings)
    blazeface: BlazeFaceSettings = field(default_factory=BlazeFaceSettings)
    head_pose: HeadPoseSettings = field(default_factory=HeadPoseSettings)

    def __post_init__(self) -> None:
        check_range("featurize.min_coverage", self.min_coverage, 0, 1)
