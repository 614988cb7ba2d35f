"""Room on a disk, asked for before the work that needs it."""

import os
from pathlib import Path

from components.core.errors import ResourceError

RESERVE_BYTES = 100_000_000  # for what is written beside


def check_room(folder: Path, needed_bytes: float, what: str) -> None:
    """Refuse work whose results will not fit.

    Args:
        folder: where they will be written; it need not be there yet.
        what: the results, as the message names them.

    Raises:
        ResourceError: the disk has less than that free.
    """
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    state = os.statvfs(place)
    free_bytes = state.f_bavail * state.f_frsize
    if needed_bytes and needed_bytes + RESERVE_BYTES > free_bytes:
        raise ResourceError(
            f"{what} will take {needed_bytes / 1e9:.2f} GB, and {folder} has {free_bytes / 1e9:.2f} GB free",
            wanted="room for them and 0.1 GB more",
            remedy="free some room (`tailwatch prune`, `dvc gc --workspace`), or work on a larger disk",
        )
