"""Official splits: lists that name the clips of a data set's own train and test sides."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from components.core.errors import BadDataError
from components.datasets.listing import Entry, Listing
from components.datasets.names import Names, some, unread

_SHOWN = 5


@dataclass(frozen=True)
class OfficialSplit:
    """What a data set's own lists say.

    Attributes:
        lists: their names, for messages.
        uris: the lists themselves.
        named: the videos of each side, as the lists write them.
    """

    lists: str
    uris: tuple[str, ...]
    named: Mapping[str, tuple[str, ...]]


def with_sides(listing: Listing, names: Names, official: OfficialSplit, key: Callable[[str], str]) -> Listing:
    """The clips that the lists name, each on its side; the others are left out.

    Args:
        names: of all files: a video that is there counts as there, also where its class is not asked for.
        key: makes of a path, in a list or in the data set, what is equal for one video.

    Raises:
        BadDataError: a video on two sides.
    """
    side_of: dict[str, str] = {}
    for side, named in official.named.items():
        torn = [one for one in named if side_of.setdefault(key(one), side) != side]
        if torn:
            raise BadDataError(
                f"{official.lists}: {some(torn, _SHOWN)} stand on two sides",
                wanted="one side for a video",
                remedy="correct the lists, or do without them in dataset.options",
            )
    kept = tuple(_on_side(entry, side_of.get(key(entry.uri), "")) for entry in listing.entries)
    rest = tuple((entry.uri, f"not named in {official.lists}") for entry in kept if not entry.split)
    there = {key(uri) for uri in names.videos}
    missing = tuple(one for named in official.named.values() for one in named if key(one) not in there)
    return replace(
        listing,
        entries=tuple(entry for entry in kept if entry.split),
        left_out=(*rest, *unread(listing.left_out, official.uris)),
        warnings=(*listing.warnings, *_about(missing, official, len(side_of))),
        missing=(*listing.missing, *missing),
    )


def _on_side(entry: Entry, side: str) -> Entry:
    return replace(entry, split=side)


def _about(missing: tuple[str, ...], official: OfficialSplit, count: int) -> tuple[str, ...]:
    if not missing:
        return ()
    shown = some(missing, _SHOWN)
    return (f"{len(missing)} of {count} videos that {official.lists} name are not there: {shown}",)
