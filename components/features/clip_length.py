"""Whether a clip is long enough to follow motion in."""

from components.core.errors import BadDataError
from components.features.activation_layout import LAGS, RATE

LEAST_FRAMES = max(LAGS) + 1


def check_long_enough(frames: int, span_s: float, view: str) -> None:
    """Refuse a clip whose frames are fewer than the largest lag of a view's activations spans.

    Args:
        frames: of the view's sampling.
        span_s: length of the clip.
        view: by name.

    Raises:
        BadDataError: too few frames.
    """
    if frames < LEAST_FRAMES:
        raise BadDataError(
            f"Too short for views.{view}: {frames} frames in {span_s:.3g} s, and its activations need "
            f"{LEAST_FRAMES}, {RATE:g} per second",
            wanted=f"{LEAST_FRAMES / RATE:g} s or more, because no model sees a clip that one view lacks",
            remedy=f"cut longer clips, or disable the models of views.{view} in params.yaml",
        )
