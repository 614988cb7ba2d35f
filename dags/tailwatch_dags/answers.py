"""What a command says when it ends: an exit code, and one line of JSON with ids and digests."""

import json
from collections.abc import Iterable
from typing import Any

LIMIT = 1024  # bytes
FINAL = frozenset({2, 3, 42})  # the same again gives the same again

_MEANING = {
    1: "a bug",
    2: "a wrong use, or a wrong setting",
    3: "bad data",
    4: "storage or a server could not be reached",
    5: "memory or disk did not suffice",
    42: "a failure that no retry can help",
    127: "the command is not there",
    130: "interrupted",
    137: "killed: out of memory, or its machine was taken away",
    143: "stopped; what it had is kept, and the next try goes on from there",
}


class AnswerError(ValueError):
    """A command that ended well but did not say what it made, or said too much."""


def explain(code: int) -> str:
    """A failure's exit code in words, with what follows from it."""
    told = _MEANING.get(code) or (f"killed by signal {-code}" if code < 0 else "an unknown failure")
    return f"Exit code {code}: {told}. {'No retry can help.' if code in FINAL else 'A retry may help.'}"


def is_final(code: int) -> bool:
    """Whether a retry cannot help."""
    return code in FINAL


def last_answer(lines: Iterable[str]) -> dict[str, Any] | None:
    """The last line that is a JSON object; None if there is none."""
    found = None
    for line in lines:
        text = line.strip()
        if text.startswith("{") and text.endswith("}"):
            try:
                said = json.loads(text)
            except ValueError:
                continue
            found = said if isinstance(said, dict) else found
    return found


def checked(answer: dict[str, Any] | None) -> dict[str, Any]:
    """The answer, if it is one that may be handed to other tasks.

    Raises:
        AnswerError: there is none, or it is too large to be ids and digests.
    """
    if answer is None:
        raise AnswerError("The command ended well but its last line is no JSON object")
    size = len(json.dumps(answer).encode())
    if size >= LIMIT:
        raise AnswerError(f"The answer has {size} bytes. Wanted: ids and digests, less than {LIMIT}")
    return answer
