"""Adapter `ucf50`: <Class>/v_<Class>_g<NN>_c<NN>.avi; a group of clips was cut from one source.

Source: Reddy, Shah, "Recognizing 50 Human Action Categories of Web Videos", Machine Vision and Applications,
2013, and the names of its files. It has no lists of train and test clips: its groups are the unit.
"""

import re
from pathlib import PurePosixPath

from components.datasets.adapter import Adapter, NoOptions
from components.datasets.listing import Entry, Listing, of_classes
from components.datasets.names import LeftOut, Names, names_of
from components.datasets.source import Source

_NAME = re.compile(r"v_(?P<name>.+)_g(?P<group>\d{2})_c\d{2}", re.IGNORECASE)


def list_ucf50(source: Source, wanted: tuple[str, ...], _: NoOptions) -> Listing:
    """List the clips of the classes that are asked for; a group is one of its class, not of its number."""
    names = names_of(source)
    found, strange = clips_by_name(names)
    entries, others = of_classes(found, wanted)
    return Listing(entries, (*others, *strange, *names.no_videos, *names.flawed))


def clips_by_name(names: Names) -> tuple[list[Entry], LeftOut]:
    """Entries of all videos that are named as they should be, and the others.

    The class is the folder, whose letters may be of another case than the file's: HandstandPushups holds
    v_HandStandPushups_g01_c01.avi.
    """
    entries, strange = [], []
    for uri in names.videos:
        path = PurePosixPath(uri)
        folder, named = path.parent.name, _NAME.fullmatch(path.stem)
        if named is None:
            strange.append((uri, "not named v_<Class>_g<NN>_c<NN>"))
        elif named["name"].lower() != folder.lower():
            strange.append((uri, f"its name says {named['name']}, its folder {folder or 'nothing'}"))
        else:
            entries.append(Entry(uri, folder, source=f"{folder}_g{named['group']}"))
    return entries, tuple(strange)


ADAPTER = Adapter(
    "UCF50: <Class>/v_<Class>_g<NN>_c<NN>.avi, at any depth; source: class and group", list_ucf50
)
