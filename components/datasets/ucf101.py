"""Adapter `ucf101`: UCF50's names, and three official lists of train and test clips.

Source: Soomro, Zamir, Shah, "UCF101: A Dataset of 101 Human Actions Classes From Videos in The Wild",
CRCV-TR-12-01, 2012, the names of its files and the lists in its ucfTrainTestlist.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from components.datasets.adapter import Adapter
from components.datasets.listing import Listing, of_classes
from components.datasets.names import Names, lines_of, names_of
from components.datasets.official import OfficialSplit, with_sides
from components.datasets.source import Source
from components.datasets.ucf50 import clips_by_name


@dataclass(frozen=True)
class Ucf101Options:
    """What may be chosen of UCF101.

    Attributes:
        official_list: which of the three lists gives train and test; none: no side is given.
    """

    official_list: Literal[1, 2, 3] | None = None


def list_ucf101(source: Source, wanted: tuple[str, ...], options: Ucf101Options) -> Listing:
    """List the clips of the classes that are asked for, on the sides that the official list names.

    Raises:
        BadDataError: a list that is asked for and is not there.
    """
    names = names_of(source)
    found, strange = clips_by_name(names)
    entries, others = of_classes(found, wanted)
    listing = Listing(entries, (*others, *strange, *names.no_videos, *names.flawed))
    if options.official_list is None:
        return listing
    return with_sides(listing, names, _official(source, names, options.official_list), _key)


def _official(source: Source, names: Names, number: int) -> OfficialSplit:
    """Lines are `Class/v_Class_g08_c01.avi 1`, classes counted from 1, which is not used; test has none."""
    lists = {"train": f"trainlist{number:02}.txt", "test": f"testlist{number:02}.txt"}
    uris = {side: names.needed(name) for side, name in lists.items()}
    named = {
        side: tuple(line.rsplit(maxsplit=1)[0] for line in lines_of(source, uri))
        for side, uri in uris.items()
    }
    return OfficialSplit(" and ".join(lists.values()), tuple(uris.values()), named)


def _key(name: str) -> str:
    """A clip's name in any case: lists and folders differ in it."""
    return PurePosixPath(name).stem.lower()


ADAPTER = Adapter(
    "UCF101: <Class>/v_<Class>_g<NN>_c<NN>.avi, at any depth; trainlist01..03.txt, testlist01..03.txt",
    list_ucf101,
    Ucf101Options,
)
