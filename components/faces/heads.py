"""Where heads must be, by the person masks: the places for a close look."""

import cv2
import numpy as np

from components.faces.boxes import Box

MAX_LOOKS = 4
SMALLEST_PERSON = 0.002  # of the frame's area
HEAD_PART = (
    0.5  # of a person's height: holds the head of who stands far away and of who is seen from the waist up
)
MARGIN = 0.15


def head_boxes(mask: np.ndarray) -> list[Box]:
    """Squares about the upper parts of the persons in a mask (H, W) bool, the largest person first."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    if not width:
        return []
    part = mask[top : top + height, left : left + width].view(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(part, connectivity=8)
    blobs = stats[1:count] + np.array([left, top, 0, 0, 0])
    persons = sorted(blobs.tolist(), key=lambda person: (-person[4], person[0]))
    boxes = [
        box
        for person in persons
        if person[4] >= SMALLEST_PERSON * mask.size
        for box in _upper_squares(*person[:4])
    ]
    return boxes[:MAX_LOOKS]


def _upper_squares(left: int, top: int, width: int, height: int) -> list[Box]:
    """Squares side by side over a blob's upper part: several persons may stand in one blob."""
    size = max(HEAD_PART * height, min(width, height) * 0.75) * (1 + 2 * MARGIN)
    count = max(1, int(np.ceil(width / size - 0.25)))
    start = top - size * MARGIN / (1 + 2 * MARGIN)
    middles = left + width * (np.arange(count) + 0.5) / count
    return [(float(x - size / 2), float(start), float(x + size / 2), float(start + size)) for x in middles]
