"""Adapter `hockey_fight`: fi<N>_xvid.avi and no<N>_xvid.avi, in one folder or in one for each class.

Source: Bermejo Nievas, Deniz Suarez, Bueno García, Sukthankar, "Violence Detection in Video Using Computer
Vision Techniques", CAIP 2011, and the names of its files. Blocks of neighbours as sources are ours: nothing
tells which clips are of one match.
"""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from components.datasets.adapter import Adapter
from components.datasets.listing import Entry, Listing, of_classes
from components.datasets.names import about_misfiled, names_of
from components.datasets.source import Source

_NAME = re.compile(r"(?P<prefix>fi|no)(?P<number>\d+)", re.IGNORECASE)
# What a class may be called: fi, Fights, no, noFights, non_fight.
_CLASS = re.compile(r"(?P<prefix>fi|no)(n?[ _-]?fi)?(ghts?)?", re.IGNORECASE)
_BLOCK = 10


@dataclass(frozen=True)
class HockeyFightOptions:
    """What may be chosen of Hockey Fight.

    Attributes:
        group: what counts as one source: ten neighbouring numbers, which may be of one match, or each clip.
    """

    group: Literal["block_of_10", "clip"] = "block_of_10"


def list_hockey_fight(source: Source, wanted: tuple[str, ...], options: HockeyFightOptions) -> Listing:
    """List the clips of the classes that are asked for.

    A class is how the names begin (`fi`, `no`), or the folder, whichever of them is asked for; where the two
    contradict each other, the name holds.
    """
    names = names_of(source)
    found = [_entry(uri, wanted, options) for uri in names.videos]
    entries, others = of_classes(found, wanted)
    warnings = about_misfiled(filter(_is_misfiled, names.videos))
    return Listing(entries, (*others, *names.no_videos, *names.flawed), warnings)


def _entry(uri: str, wanted: tuple[str, ...], options: HockeyFightOptions) -> Entry:
    path = PurePosixPath(uri)
    named = _NAME.match(path.name)
    if named is None:
        return Entry(uri, path.parent.name)
    prefix, number = named["prefix"].lower(), int(named["number"])
    block = f"{prefix}-{(number - 1) // _BLOCK:03}" if options.group == "block_of_10" else ""
    return Entry(uri, _label(prefix, path.parent.name, wanted), source=block)


def _label(prefix: str, folder: str, wanted: tuple[str, ...]) -> str:
    """The class that is asked for and means what the name says, the folder's own word before others."""
    meant = [label for label in wanted if _prefix_of(label) == prefix]
    if meant:
        return folder if folder in meant else meant[0]
    return folder if folder in wanted and not _prefix_of(folder) else prefix


def _is_misfiled(uri: str) -> bool:
    """Whether a clip lies in the folder of the other class."""
    path = PurePosixPath(uri)
    named, of_folder = _NAME.match(path.name), _prefix_of(path.parent.name)
    return named is not None and of_folder not in ("", named["prefix"].lower())


def _prefix_of(label: str) -> str:
    """How the names of a class's clips begin; empty where its own name does not tell."""
    told = _CLASS.fullmatch(label)
    return told["prefix"].lower() if told else ""


ADAPTER = Adapter(
    "Hockey Fight: fi<N>_xvid.avi and no<N>_xvid.avi, in one folder or one for each class, at any depth",
    list_hockey_fight,
    HockeyFightOptions,
)
