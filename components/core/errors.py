"""Errors that say what came, what was wanted and what to do, each with the exit code of its kind."""

import errno
import re

# A database's password may hold a slash; what looks like a port before one is no password.
_SECRET = re.compile(r"(?<=://)(?:[^/\s]*|[^/:\s]*:(?!\d+/)[^@\s]*)@")


class TailwatchError(Exception):
    """A failure that a person can act on.

    Addresses in it lose their user and password.

    Args:
        came: what was found.
        wanted: what was expected instead.
        remedy: the next step for the person who reads it.
    """

    exit_code = 1

    def __init__(self, came: str, *, wanted: str, remedy: str) -> None:
        self.came, self.wanted, self.remedy = (without_secret(text) for text in (came, wanted, remedy))
        super().__init__(self.came, self.wanted, self.remedy)

    def __str__(self) -> str:
        return f"{self.came}. Wanted: {self.wanted}. To do: {self.remedy}."

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.came, self.wanted, self.remedy)


def _rebuild(kind: type[TailwatchError], came: str, wanted: str, remedy: str) -> TailwatchError:
    return kind(came, wanted=wanted, remedy=remedy)


class UsageError(TailwatchError):
    """A command or a parameter that cannot be meant."""

    exit_code = 2


class BadDataError(TailwatchError):
    """A clip, label or file that cannot be used."""

    exit_code = 3


class StorageError(TailwatchError):
    """A disk, object store or server that did not answer: a retry may help."""

    exit_code = 4


class ResourceError(TailwatchError):
    """Memory, disk or a device that ran out."""

    exit_code = 5


class FinalError(TailwatchError):
    """A failure that a retry meets again."""

    exit_code = 42


_EXHAUSTED = {
    errno.ENOSPC: "free disk space",
    errno.EDQUOT: "free disk space, or raise the quota",
    errno.EFBIG: "raise the limit of file sizes (ulimit -f)",
    errno.EMFILE: "raise the limit of open files (ulimit -n), or set TAILWATCH_WORKERS to fewer workers",
    errno.ENFILE: "close other programs, or set TAILWATCH_WORKERS to fewer workers",
    errno.ENOMEM: "free memory, or set TAILWATCH_WORKERS to fewer workers",
}
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_IN_THE_WAY = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR)


def of_system(error: OSError) -> TailwatchError:
    """What the operating system refused, as an error that a person can act on."""
    files = " -> ".join(str(name) for name in (error.filename, error.filename2) if name is not None)
    cause = error.strerror or str(error) or type(error).__name__
    came = f"{files}: {cause}" if files else cause
    if error.errno in _EXHAUSTED:
        wanted = "enough disk, memory and open files"
        return ResourceError(came, wanted=wanted, remedy=f"{_EXHAUSTED[error.errno]}, then run it again")
    if error.errno in _FORBIDDEN:
        wanted, remedy = "a place that may be read, or written", "change its owner or mode, or take another"
    elif error.errno in _IN_THE_WAY:
        wanted, remedy = "a folder where one is needed, a file where one is", "move what stands in the way"
    else:
        wanted, remedy = "a disk or server that answers", "check that it is there, then run it again"
    return StorageError(came, wanted=wanted, remedy=remedy)


def without_secret(text: str) -> str:
    """A text, or an address, without the user and the password or token that addresses in it have.

    Example:
        >>> without_secret("no answer from http://jane:s3cret@mlflow:5000/api")
        'no answer from http://mlflow:5000/api'
    """
    return _SECRET.sub("", text)


def one_line(text: str) -> str:
    r"""Text with its control characters escaped, so that it stays on its line.

    Example:
        >>> one_line("walk\n07.mp4")
        'walk\\n07.mp4'
    """
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "backslashreplace").decode()
        for letter in text
    )
