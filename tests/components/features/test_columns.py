"""The order of the 29 numbers is a contract: scalers, tensors and bundles stand on it."""

from components.features.columns import COLUMNS


def test_order_of_the_29() -> None:
    assert len(COLUMNS) == len(set(COLUMNS)) == 29
    assert COLUMNS[:12] == (
        "a_nose_x",
        "a_nose_y",
        "a_chin_x",
        "a_chin_y",
        "a_left_eye_x",
        "a_left_eye_y",
        "a_right_eye_x",
        "a_right_eye_y",
        "a_left_mouth_x",
        "a_left_mouth_y",
        "a_right_mouth_x",
        "a_right_mouth_y",
    )
    assert COLUMNS[12:24] == tuple(name.replace("a_", "b_", 1) for name in COLUMNS[:12])
    assert COLUMNS[24:] == ("a_yaw", "a_pitch", "b_yaw", "b_pitch", "distance")
