"""A wish to end the process, kept until training can be written down."""

import signal
import threading
from types import FrameType
from typing import Any

from components.core.system import heeded_signals


class Interruption:
    """Inside this context the first SIGTERM or SIGINT is only noted; a second one acts as it did before.

    One that was noted after the last look at `code` ends the process when the context is left; one that the
    process was started to ignore, as a script's background job ignores SIGINT, stays ignored.

    Attributes:
        code: the exit code that the signal asks for; None while none came.

    Raises:
        SystemExit: on leaving, with `code`.
    """

    def __init__(self) -> None:
        self.code: int | None = None
        self._former: dict[int, Any] = {}

    def __enter__(self) -> "Interruption":
        if threading.current_thread() is threading.main_thread():
            self._former = {number: signal.signal(number, self._note) for number in heeded_signals()}
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._restore()
        if kind is None and self.code is not None:
            raise SystemExit(self.code)

    def _note(self, number: int, _: FrameType | None) -> None:
        self.code = 128 + number  # as a shell has it
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._former = {}
