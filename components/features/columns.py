"""The 29 numbers of a frame: their names and order.

Source: paper 000, III-D to III-F. It gives no order: this one is ours.
"""

POINT_NAMES = ("nose", "chin", "left_eye", "right_eye", "left_mouth", "right_mouth")
PERSONS = ("a", "b")
COORDINATES = tuple(
    f"{person}_{point}_{axis}" for person in PERSONS for point in POINT_NAMES for axis in ("x", "y")
)
ANGLES = tuple(f"{person}_{angle}" for person in PERSONS for angle in ("yaw", "pitch"))
COLUMNS = (*COORDINATES, *ANGLES, "distance")
