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
from components.datasets.names import names_of
from components.datasets.source import Source

_NAME = re.compile(r"(?P<prefix>fi|no)(?P<number>\d+)")
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

    A class is how the names begin (`fi`, `no`), or the folder, whichever of them is asked for.
    """
    names = names_of(source)
    found = [_entry(uri, wanted, options) for uri in names.videos]
    entries, others = of_classes(found, wanted)
    return Listing(entries, (*others, *names.no_videos, *names.flawed))


def _entry(uri: str, wanted: tuple[str, ...], options: HockeyFightOptions) -> Entry:
    path = PurePosixPath(uri)
    named = _NAME.match(path.name)
    if named is None:
        return Entry(uri, path.parent.name)
    prefix, number = named["prefix"], int(named["number"])
    label = prefix if prefix in wanted or path.parent.name not in wanted else path.parent.name
    block = f"{prefix}-{(number - 1) // _BLOCK:03}" if options.group == "block_of_10" else ""
    return Entry(uri, label, source=block)


ADAPTER = Adapter(
    "Hockey Fight: fi<N>_xvid.avi and no<N>_xvid.avi, in one folder or one for each class, at any depth",
    list_hockey_fight,
    HockeyFightOptions,
)
