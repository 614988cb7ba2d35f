"""Properties that give the label away."""

from components.datasets.tells import tells


def test_a_size_of_one_class_alone_is_told() -> None:
    sizes = ["704x480"] * 15 + ["640x360"] * 40 + ["1x1"] * 2
    labels = ["calm"] * 15 + ["fight", "fight", "calm", "fight"] * 10 + ["fight"] * 2
    told = tells([{"size": size, "codec": "h264"} for size in sizes], labels)
    assert told["size"]["one_label"] == [{"value": "704x480", "label": "calm", "clips": 15}]
    assert told["size"]["counts"]["640x360"] == {"calm": 10, "fight": 30}
    assert told["size"]["guess"] == round((15 + 30 + 2) / 57, 4)
    assert told["codec"]["guess"] == told["codec"]["guess_blind"] == round(32 / 57, 4)


def test_chance_is_not_told() -> None:
    labels = ["calm", "fight"] * 30
    rare = ["a"] * 50 + ["b"] + ["c"] * 9
    assert tells([{"size": value} for value in rare], labels)["size"]["one_label"] == []


def test_nothing() -> None:
    assert tells([], []) == {}
