"""Person masks by Mask R-CNN, as PixelLib 0.7.1 builds it, in a process of its own.

The paper's segmenter. The weights (mask_rcnn_coco.h5) are given by path and digest; nothing is loaded before
the digest is found right.

Source: paper 000, III-C; He et al., "Mask R-CNN" (2017).
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from components.core import system
from components.core.errors import BadDataError, ResourceError, UsageError
from components.core.weights import check_sha256
from components.segmentation import pixellib_worker
from components.segmentation.base import FrameSegmenter, PixellibSettings, SegmentSettings
from components.segmentation.pixellib_worker import ENVIRONMENT, NOT_RESTORED, OWN, read_array, write_array

LAST_WORDS = 2000  # characters of the worker's messages that an error quotes
ENDING_S = 10.0


class PixellibSegmenter(FrameSegmenter):
    """Masks of persons by a worker process, started for the first frame."""

    def __init__(self, settings: SegmentSettings) -> None:
        self._settings = settings.pixellib
        self._worker: Worker | None = None

    @staticmethod
    def weights_digests(settings: SegmentSettings) -> dict[str, str]:
        """SHA-256 that the weights must have."""
        return {"mask_rcnn_coco": settings.pixellib.sha256}

    def mask(self, frame: np.ndarray) -> np.ndarray:
        """The mask bool (H, W) of one frame (H, W, 3) uint8 RGB.

        Raises:
            UsageError: the settings name no weights.
            BadDataError: the file is another one, or does not hold the whole model.
            ResourceError: the worker process died.
        """
        if self._worker is None or not self._worker.is_ours():
            self._worker = Worker(self._settings)
        return self._worker.mask(frame)

    def close(self) -> None:
        """End the worker process."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None


class Worker:
    """A process that holds the network.

    Attributes:
        restored: how many tensors it took from the file.
    """

    def __init__(self, settings: PixellibSettings) -> None:
        path = named_weights(settings)
        check_sha256(path, settings.sha256)
        self._path = path
        self._owner = os.getpid()
        self._words = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        environment = {**os.environ, **ENVIRONMENT, "PYTHONPATH": _python_path()}
        self._process = system.start(_command(path, settings), environment, self._words)
        self.restored = int(self._answer())

    def mask(self, frame: np.ndarray) -> np.ndarray:
        """The persons' mask bool (H, W) of one frame."""
        try:
            write_array(self._process.stdin, frame)  # type: ignore[arg-type]
        except BrokenPipeError:
            raise self._death() from None
        return self._answer()

    def is_ours(self) -> bool:
        """Whether the process runs and was started by this one: after a fork, two would share its pipes."""
        return self._owner == os.getpid() and self._process.poll() is None

    def close(self) -> None:
        """Close the pipe, at which the process ends; kill it if it does not."""
        try:
            self._process.communicate(timeout=ENDING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def _answer(self) -> np.ndarray:
        answer = read_array(self._process.stdout)  # type: ignore[arg-type]
        if answer is None:
            raise self._death()
        return answer

    def _death(self) -> BadDataError | ResourceError:
        code = self._process.wait()
        self._words.seek(0)
        words = self._words.read()[-LAST_WORDS:].strip()
        if code == NOT_RESTORED:
            return BadDataError(
                f"{self._path} does not hold the whole model: {words}",
                wanted="the file mask_rcnn_coco.h5 of Mask R-CNN's release 2.0",
                remedy="run `tailwatch weights`, or correct segment.pixellib.weights and its sha256",
            )
        return ResourceError(
            f"PixelLib's worker process ended with {code}; its last words: {words or 'none'}",
            wanted="a process that answers every frame",
            remedy="if it was killed, give it more memory, or set TAILWATCH_WORKERS to fewer workers",
        )


def named_weights(settings: PixellibSettings) -> Path:
    """The path of the weights.

    Raises:
        UsageError: it is not given.
    """
    if settings.weights is None:
        raise UsageError(
            "The pixellib segmenter has no weights",
            wanted="segment.pixellib.weights: the path of mask_rcnn_coco.h5",
            remedy="run `tailwatch weights`, which fetches it, or choose another segment.backend",
        )
    return Path(settings.weights)


def _command(path: Path, settings: PixellibSettings) -> list[str]:
    score = OWN if settings.min_score is None else str(settings.min_score)
    options = [str(path), settings.infer_speed or OWN, score, str(settings.threads)]
    return [sys.executable, "-m", pixellib_worker.__name__, *options]


def _python_path() -> str:
    """Where the worker finds our packages, whatever folder it is started in."""
    ours = str(Path(__file__).parents[2])
    return os.pathsep.join([ours, *filter(None, [os.environ.get("PYTHONPATH")])])
