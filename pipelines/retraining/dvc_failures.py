"""What DVC's failures are called, so that the process that asked knows its exit code."""

import errno
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class WorkError(Exception):
    """A failure with the kind by which the parent process knows its exit code."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(kind, text)
        self.kind = kind
        self.text = text


@contextmanager
def failing(kind: str) -> Iterator[None]:
    """What fails inside the block is of this kind, unless its cause says another."""
    try:
        yield
    except WorkError:
        raise
    except Exception as error:
        causes = list(_causes(error))
        if any(isinstance(cause, OSError) and cause.errno in _NO_ROOM for cause in causes):
            kind = "room"
        elif kind == "stage":
            kind = _kind_in_stage(causes)
        if kind == "bug":
            traceback.print_exc()
        told = dict.fromkeys(_COLOUR.sub("", str(cause)) or type(cause).__name__ for cause in causes)
        text = ": ".join(dict.fromkeys(" ".join(line.split()).rstrip(".") for line in told))
        raise WorkError(kind, text) from error


def _kind_in_stage(causes: list[BaseException]) -> str:
    from dvc.dependency.base import DependencyDoesNotExistError
    from dvc.exceptions import DvcException
    from dvc.stage.exceptions import StageCmdFailedError

    for kind, types in (
        ("stage", StageCmdFailedError),
        ("usage", DependencyDoesNotExistError),
        ("storage", (DvcException, OSError)),
    ):
        if any(isinstance(cause, types) for cause in causes):  # type: ignore[arg-type]
            return kind
    return "bug"


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__
