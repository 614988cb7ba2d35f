"""Adapter `ucf_crime_frames`: every tenth frame of UCF-Crime as pictures; a clip is one video's pictures.

Source: the Kaggle data set odins0n/ucf-crime-dataset, made of UCF-Crime (Sultani, Chen, Shah, CVPR 2018).
Paper 003, III, says no more of its copy than that it is Kaggle's.
"""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from components.datasets.adapter import Adapter
from components.datasets.clips import SIDES
from components.datasets.listing import Entry, Listing, of_classes
from components.datasets.names import names_of
from components.datasets.rates import check_rate, exact_rate
from components.datasets.source import Source
from components.datasets.ucf_crime import video_of
from components.video.sequence import NUMBER

_FRAME = re.compile(r"(?P<video>.+_x264A?)_\d+\.png", re.IGNORECASE)


@dataclass(frozen=True)
class FramesOptions:
    """What may be chosen of the frames.

    Attributes:
        fps: pictures a second; every tenth of 30.
    """

    fps: float = 3.0

    def __post_init__(self) -> None:
        check_rate(self.fps)


def list_ucf_crime_frames(source: Source, wanted: tuple[str, ...], options: FramesOptions) -> Listing:
    """List the videos of the classes that are asked for, each on the side whose folder it lies in."""
    names = names_of(source)
    rate = exact_rate(options.fps)
    found: dict[str, Entry] = {}
    others = []
    for uri in names.uris:
        path = PurePosixPath(uri)
        named = _FRAME.fullmatch(path.name)
        if named is None:
            others.append((uri, "not named <video>_x264_<frame>.png"))
            continue
        clip = str(path.with_name(f"{named['video']}_{NUMBER}{path.suffix}"))
        if clip not in found:
            side = path.parent.parent.name.lower()
            split = side if side in SIDES else ""
            found[clip] = Entry(clip, path.parent.name, video_of(named["video"]), split, rate=rate)
    entries, strangers = of_classes(found.values(), wanted)
    return Listing(entries, (*strangers, *others, *names.flawed))


ADAPTER = Adapter(
    "UCF-Crime as frames: {Train,Test}/<Class>/<video>_x264_<frame>.png, at any depth",
    list_ucf_crime_frames,
    FramesOptions,
)
