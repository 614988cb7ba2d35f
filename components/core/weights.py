"""Third-party network weights that ordinary packages carry: where they lie, their digests and licences."""

from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from components.core.errors import BadDataError, StorageError, UsageError
from components.core.files import file_sha256


@dataclass(frozen=True)
class ThirdParty:
    """One file of weights inside an installed package.

    Attributes:
        package: the distribution that carries it.
        file: path inside the distribution.
        sha256: the digest of the only file that is accepted.
        licence: of the weights.
        note: what its user must know.
    """

    package: str
    file: str
    sha256: str
    licence: str
    note: str = ""


def _mediapipe(file: str, sha256: str) -> ThirdParty:
    return ThirdParty("mediapipe", f"mediapipe/modules/{file}", sha256, "Apache-2.0")


WEIGHTS = {
    "selfie_segmentation": _mediapipe(
        "selfie_segmentation/selfie_segmentation.tflite",
        "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
    ),
    "selfie_segmentation_landscape": _mediapipe(
        "selfie_segmentation/selfie_segmentation_landscape.tflite",
        "a77d03f4659b9f6b6c1f5106947bf40e99d7655094b6527f214ea7d451106edd",
    ),
    "face_detection_full_range": _mediapipe(
        "face_detection/face_detection_full_range_sparse.tflite",
        "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
    ),
    "face_detection_short_range": _mediapipe(
        "face_detection/face_detection_short_range.tflite",
        "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    ),
    "face_landmark": _mediapipe(
        "face_landmark/face_landmark.tflite",
        "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
    ),
    "pose_detection": _mediapipe(
        "pose_detection/pose_detection.tflite",
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    ),
    "pose_landmark_full": _mediapipe(
        "pose_landmark/pose_landmark_full.tflite",
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    ),
    "dlib_68_landmarks": ThirdParty(
        "face_recognition_models",
        "face_recognition_models/models/shape_predictor_68_face_landmarks.dat",
        "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f",
        "CC0-1.0 (the package); trained on iBUG 300-W, whose licence excludes commercial use",
        "not for commercial use; another predictor with the same 68 points can be named in params.yaml",
    ),
}


@cache
def locate(name: str) -> Path:
    """The path of third-party weights, their digest checked once per process.

    Raises:
        UsageError: no such weights are known.
        StorageError: the package or the file is not installed.
        BadDataError: the file is another than the pinned one.
    """
    if name not in WEIGHTS:
        raise UsageError(
            f"Weights `{name}` are not known",
            wanted=f"one of {', '.join(WEIGHTS)}",
            remedy="correct the name",
        )
    weights = WEIGHTS[name]
    path = _installed_path(weights)
    check_sha256(path, weights.sha256)
    return path


def check_sha256(path: Path, sha256: str) -> None:
    """Refuse a file whose digest is another than the wanted one, before anything reads it.

    Raises:
        StorageError: the file is not there.
        BadDataError: the digest differs.
    """
    if not path.is_file():
        raise StorageError(
            f"{path} is not there", wanted="a file of weights", remedy="correct the path, or fetch the file"
        )
    found = file_sha256(path)
    if found != sha256:
        raise BadDataError(
            f"{path} has the sha256 {found}",
            wanted=sha256,
            remedy="put the right file there, or correct the digest",
        )


def _installed_path(weights: ThirdParty) -> Path:
    try:
        path = Path(str(metadata.distribution(weights.package).locate_file(weights.file)))
    except metadata.PackageNotFoundError:
        path = None
    if path is None or not path.is_file():
        raise StorageError(
            f"{weights.file} is not installed",
            wanted=f"the package {weights.package}, which carries it",
            remedy="run `make setup`",
        )
    return path
