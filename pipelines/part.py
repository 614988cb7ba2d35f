"""One part of a data set's clips: what one machine of several does."""

from dataclasses import dataclass

from components.core.errors import UsageError
from components.datasets.clips import Clip


@dataclass(frozen=True)
class Part:
    """One of `count` parts, by number from 1; parts share no clip, and a new clip moves no other."""

    number: int = 1
    count: int = 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def has(self, clip: Clip) -> bool:
        """Whether a clip belongs to it: the clip's digest modulo `count` says."""
        return int(clip.sha256, 16) % self.count == self.number - 1


def parse_part(text: str) -> Part:
    """The part that "k/n" says.

    Raises:
        UsageError: it is not k/n with k from 1 to n.
    """
    k, _, n = text.partition("/")
    if not (k.isdecimal() and n.isdecimal() and 1 <= int(k) <= int(n)):
        raise UsageError(
            f"The part is {text!r}", wanted="k/n with k from 1 to n, like 2/8", remedy="correct --part"
        )
    return Part(int(k), int(n))
