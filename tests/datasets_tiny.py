"""Tiny data sets in the layouts of the public ones, file by file as those lie on a disk."""

from collections.abc import Iterable
from pathlib import Path

from tests.video_factory import write_frames, write_video

CODECS = {".avi": "mpeg4", ".mpg": "mpeg1video"}


def write_films(root: Path, uris: Iterable[str]) -> Path:
    """Films of half a second, no two of equal bytes."""
    for place, uri in enumerate(uris):
        path = root / uri
        path.parent.mkdir(parents=True, exist_ok=True)
        write_video(path, 12, codec=CODECS.get(path.suffix, "libx264"), first=37 * place, size=(64, 32))
    return root


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """A text file with the lines as they are given, blanks at their ends too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def stalking(root: Path) -> Path:
    """Films 1 and 2 by the table, film-3 and film-4 by the names."""
    write_films(
        root,
        [
            *(f"stalking/stalking/{name}.mp4" for name in ("a", "b", "film-3_01", "film-3_02")),
            *(f"stalking/non_stalking/{name}.mkv" for name in ("c", "d_x", "film-4_01")),
        ],
    )
    rows = ["clip_id,label,source_title,votes,fps,notes", "a,stalking,film 1,s|s|n|s|s,25,"]
    rows += ["b,stalking,film 1,s|s|s|s|s,25,", "c,non_stalking,film 2,n|n|n|n|n,25,night"]
    write_lines(root / "stalking/metadata.csv", rows)
    return root


def shv(root: Path) -> Path:
    """Two classes, with the source of some clips in metadata.csv."""
    write_films(
        root, [f"shv/{label}/{k}{label[0]}.mp4" for label in ("harassment", "non_harassment") for k in "123"]
    )
    rows = ["clip_id,source_url_hash", "1h,5f2", "2h,5f2", "3h,77a", "1n,9c0"]
    write_lines(root / "shv/metadata.csv", rows)
    return root


def hockey_flat(root: Path) -> Path:
    """All clips in one folder."""
    numbers = (1, 10, 11)
    return write_films(root, [f"HockeyFights/{kind}{n}_xvid.avi" for kind in ("fi", "no") for n in numbers])


def movie_violence(root: Path) -> Path:
    """Avi against mpg, and non-fights that were encoded again."""
    fights = [f"Peliculas/fights/newfi{n}.avi" for n in (1, 2, 3)]
    calm = [f"Peliculas/noFights/{n}.mpg" for n in (1, 2, 3)]
    return write_films(root, [*fights, *calm, "Peliculas/noFights2/74.avi"])


def ucf50(root: Path) -> Path:
    """Two classes with groups of equal numbers."""
    classes = ("BaseballPitch", "Basketball")
    return write_films(
        root,
        [f"UCF50/{name}/v_{name}_g{g:02}_c{c:02}.avi" for name in classes for g in (1, 2) for c in (1, 2)],
    )


def ucf101(root: Path) -> Path:
    """Folder HandstandPushups, whose files and lists say HandStandPushups."""
    names = {"ApplyEyeMakeup": "ApplyEyeMakeup", "HandstandPushups": "HandStandPushups"}
    files = {
        (folder, g): [f"v_{name}_g{g:02}_c{c:02}.avi" for c in (1, 2)]
        for folder, name in names.items()
        for g in (1, 8, 9, 10, 11)
    }
    write_films(root, [f"UCF-101/{folder}/{name}" for (folder, _), found in files.items() for name in found])
    lists = root / "ucfTrainTestlist"
    write_lines(lists / "classInd.txt", ["1 ApplyEyeMakeup", "38 HandstandPushups"])
    for number, tested in ((1, 1), (2, 8), (3, 9)):
        sides: dict[str, list[str]] = {"train": [], "test": []}
        for (folder, g), found in files.items():
            label = {"ApplyEyeMakeup": 1, "HandstandPushups": 38}[folder]
            if g == tested:
                sides["test"] += [f"{names[folder]}/{name}" for name in found]
            else:
                sides["train"] += [f"{names[folder]}/{name} {label}" for name in found]
        for side, lines in sides.items():
            write_lines(lists / f"{side}list{number:02}.txt", lines)
    return root


UCF_CRIME_TRAIN = (
    "Abuse/Abuse001_x264.mp4",
    "Abuse/Abuse002_x264.mp4",
    "Explosion/Explosion002_x264A.mp4",
    "Robbery/Robbery048_x264.mp4",
    "Training_Normal_Videos_Anomaly/Normal_Videos001_x264.mp4",
    "Training_Normal_Videos_Anomaly/Normal_Videos002_x264.mp4",
    "Training_Normal_Videos_Anomaly/Normal_Videos003_x264.mp4",
)
UCF_CRIME_TEST = (
    "Abuse/Abuse028_x264.mp4",
    "Shooting/Shooting046_x264.mp4",
    "Testing_Normal_Videos_Anomaly/Normal_Videos_003_x264.mp4",
    "Testing_Normal_Videos_Anomaly/Normal_Videos_006_x264.mp4",
)


def ucf_crime(root: Path) -> Path:
    """Zips as a mirror nests them, a normal video in two folders, one that cannot be read."""
    part = "Anomaly-Videos-Part-{0}/Anomaly-Videos-Part-{0}"
    write_films(
        root,
        [
            *(f"{part.format(1)}/Abuse/Abuse{n}_x264.mp4" for n in ("001", "002", "028")),
            f"{part.format(2)}/Explosion/Explosion002_x264A.mp4",
            f"{part.format(3)}/Robbery/Robbery048_x264.mp4",
            f"{part.format(3)}/Shooting/Shooting046_x264.mp4",
            "Training-Normal-Videos-Part-1/Normal_Videos001_x264.mp4",
            "Training-Normal-Videos-Part-1/Normal_Videos002_x264.mp4",
            "Training-Normal-Videos-Part-2/Normal_Videos003_x264.mp4",
            "Testing_Normal_Videos_Anomaly/Normal_Videos_003_x264.mp4",
            "Testing_Normal_Videos_Anomaly/Normal_Videos_006_x264.mp4",
            "Normal_Videos_event/Normal_Videos_317_x264.mp4",
        ],
    )
    copied = root / "Testing_Normal_Videos_Anomaly/Normal_Videos_003_x264.mp4"
    (root / "Normal_Videos_event/Normal_Videos_003_x264.mp4").write_bytes(copied.read_bytes())
    (root / "Normal_Videos_event/Normal_Videos_307_x264.mp4").write_bytes(b"")
    splits = root / "UCF_Crimes-Train-Test-Split"
    write_lines(splits / "Anomaly_Detection_splits/Anomaly_Train.txt", UCF_CRIME_TRAIN)
    write_lines(splits / "Anomaly_Detection_splits/Anomaly_Test.txt", UCF_CRIME_TEST)
    for fold, tested in ((1, "Abuse001"), (2, "Abuse002"), (3, "Abuse028"), (4, "Abuse001")):
        videos = [f"Abuse/Abuse{n}_x264.mp4 " for n in ("001", "002", "028")]
        normal = "Normal_Videos_event/Normal_Videos_{}_x264.mp4 "
        recognition = splits / "Action_Regnition_splits"
        write_lines(
            recognition / f"train_{fold:03}.txt",
            [*(line for line in videos if tested not in line), normal.format(317)],
        )
        write_lines(
            recognition / f"test_{fold:03}.txt",
            [*(line for line in videos if tested in line), normal.format("003"), normal.format(307)],
        )
    write_lines(
        root / "Temporal_Anomaly_Annotation_for_Testing_Videos.txt",
        [
            "Abuse028_x264.mp4  Abuse  3  6  -1  -1  ",
            "Shooting046_x264.mp4  Shooting  1  2  5  12\t",
            "Normal_Videos_003_x264.mp4  Normal  -1  -1  -1  -1  ",
            "Normal_Videos_006_x264.mp4  Normal  -1  -1  -1  -1  ",
        ],
    )
    return root


def ucf_crime_frames(root: Path) -> Path:
    """Every tenth frame, numbers without leading zeros."""
    videos = {
        "Train/Abuse": ("Abuse001_x264", "Abuse002_x264"),
        "Train/NormalVideos": ("Normal_Videos001_x264", "Normal_Videos002_x264"),
        "Test/Abuse": ("Abuse028_x264A",),
        "Test/NormalVideos": ("Normal_Videos_003_x264",),
    }
    for place, (folder, names) in enumerate(videos.items()):
        for name in names:
            frames = [f"{name}_{10 * k}.png" for k in range(12)]
            write_frames(root / folder, frames, first=20 * place + len(name), size=(64, 64))
    return root
