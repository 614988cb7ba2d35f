"""A wish to end the process, kept until training can be written down."""

import signal
import threading
from types import FrameType
from typing import Any

EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


class Interruption:
    """Inside this context the first SIGTERM or SIGINT is only noted; a second one acts as it did before.

    Attributes:
        code: the exit code that the signal asks for; None while none came.
    """

    def __init__(self) -> None:
        self.code: int | None = None
        self._former: dict[int, Any] = {}

    def __enter__(self) -> "Interruption":
        if threading.current_thread() is threading.main_thread():
            self._former = {number: signal.signal(number, self._note) for number in EXIT_CODES}
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def _note(self, number: int, _: FrameType | None) -> None:
        self.code = EXIT_CODES[signal.Signals(number)]
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._former = {}
