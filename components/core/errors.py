"""Errors that say what came, what was wanted and what to do, each with the exit code of its kind."""


class TailwatchError(Exception):
    """A failure that a person can act on.

    Args:
        came: what was found.
        wanted: what was expected instead.
        remedy: the next step for the person who reads it.
    """

    exit_code = 1

    def __init__(self, came: str, *, wanted: str, remedy: str) -> None:
        super().__init__(came, wanted, remedy)
        self.came = came
        self.wanted = wanted
        self.remedy = remedy

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
