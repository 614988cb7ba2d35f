"""Keeping native libraries' start-up chatter off the terminal."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_start() -> Iterator[None]:
    """Hold back what native code writes to standard error; let it out if the block fails.

    TensorFlow and LiteRT write there before their own log levels are in force.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            _let_out(held.fileno(), kept)
            raise
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)


def _let_out(held: int, to: int) -> None:
    os.lseek(held, 0, os.SEEK_SET)
    while block := os.read(held, 1 << 16):
        os.write(to, block)
