"""What lies in a data set, by its names alone."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from components.core.errors import BadDataError
from components.datasets.source import Source

VIDEO_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("3g2", "3gp", "asf", "avi", "dv", "flv", "gif", "m2ts", "m4v", "mkv", "mov"),
        *("mp4", "mpeg", "mpg", "mts", "mxf", "ogv", "ts", "webm", "wmv"),
    )
)

LeftOut = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Names:
    """The files of a data set.

    Attributes:
        uris: of all that can be read and written into a table, sorted.
        flawed: (what, why) of the others.
    """

    uris: tuple[str, ...]
    flawed: LeftOut = ()

    @cached_property
    def videos(self) -> tuple[str, ...]:
        """The videos."""
        return tuple(uri for uri in self.uris if is_video(uri))

    @cached_property
    def no_videos(self) -> LeftOut:
        """What is left out where videos alone are clips."""
        return tuple((uri, "not a video by its name") for uri in self.uris if not is_video(uri))

    def named(self, name: str) -> str | None:
        """The first file of this name, wherever it lies; None: there is none. Case does not matter."""
        return next((uri for uri in self.uris if PurePosixPath(uri).name.lower() == name.lower()), None)

    def needed(self, name: str) -> str:
        """The same, where it must be there.

        Raises:
            BadDataError: no file of this name.
        """
        found = self.named(name)
        if found is None:
            raise BadDataError(
                f"{name} is not in the data set",
                wanted="the list that dataset.options asks for, in any folder of the data set",
                remedy="put it there, or do without it in dataset.options",
            )
        return found


def names_of(source: Source) -> Names:
    """List a data set; what is no file, may not be read, or has no name in UTF-8 is told apart."""
    found = source.list()
    nameless = tuple((_shown(uri), "its name is not UTF-8") for uri in found if not _is_text(uri))
    flaws = tuple((uri if _is_text(uri) else _shown(uri), flaw) for uri, flaw in source.left_out().items())
    return Names(tuple(filter(_is_text, found)), (*nameless, *flaws))


def unread(left_out: LeftOut, read: Collection[str]) -> LeftOut:
    """What is left out, less the files that were read: lists and tables that tell of the clips."""
    return tuple((what, why) for what, why in left_out if what not in read)


def is_video(uri: str) -> bool:
    """Whether a file is a video by its name."""
    return PurePosixPath(uri).suffix.lower() in VIDEO_SUFFIXES


def lines_of(source: Source, uri: str) -> list[str]:
    """The lines of a text file that say something, without blanks at their ends.

    Raises:
        BadDataError: it is not UTF-8 text.
    """
    try:
        text = source.local(uri).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadDataError(
            f"{_shown(uri)} is not UTF-8 text", wanted="a list in UTF-8", remedy="save it as UTF-8"
        ) from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def about_misfiled(uris: Iterable[str]) -> tuple[str, ...]:
    """A warning of videos in the folder of another class than their names say, where names are trusted."""
    told = sorted(uris)
    if not told:
        return ()
    return (
        f"{len(told)} videos say another class in their names than by their folders, and the name holds: "
        f"{some(told)}",
    )


def some(what: Iterable[str], shown: int = 10) -> str:
    """The first names of many, and how many more there are."""
    told = [_shown(one) for one in what]
    return ", ".join(told[:shown]) + (f" and {len(told) - shown} more" if len(told) > shown else "")


def _shown(uri: str) -> str:
    return ascii(uri)[1:-1]


def _is_text(uri: str) -> bool:
    """Whether a name can be written into a table; file names are bytes, and some are no text."""
    return uri.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in uri)
