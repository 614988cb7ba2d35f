"""Columns of the numbers and of the activations, by what they have in common."""

from components.features.activation_layout import LOOKS
from components.features.columns import ANGLES, COLUMNS, COORDINATES

_POINTS = {"nose": "nose", "chin": "chin", "eyes": "eye", "mouth": "mouth"}


def number_groups() -> dict[str, list[int]]:
    """Places of the 29 numbers by kind, all of them first; kinds overlap.

    Example: `nose (4)` -> a_nose_x, a_nose_y, b_nose_x, b_nose_y.
    """
    kinds = {
        "all numbers": COLUMNS,
        "landmarks": COORDINATES,
        **{kind: tuple(name for name in COORDINATES if part in name) for kind, part in _POINTS.items()},
        "angles": ANGLES,
        "distance": COLUMNS[-1:],
    }
    return {f"{kind} ({len(names)})": [COLUMNS.index(n) for n in names] for kind, names in kinds.items()}


def single_numbers() -> dict[str, list[int]]:
    """The place of each of the 29 numbers by its name."""
    return {name: [place] for place, name in enumerate(COLUMNS)}


def activation_groups() -> dict[str, slice]:
    """Places of the activations of each network, and of each of its windows."""
    groups, start = {}, 0
    for look in LOOKS:
        groups[look.network] = slice(start, start + look.rows * look.width)
        for k, window in enumerate(look.windows):
            groups[f"{look.network}, {window}"] = slice(start + k * look.width, start + (k + 1) * look.width)
        start = groups[look.network].stop
    return groups
