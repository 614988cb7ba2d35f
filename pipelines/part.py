"""One part of a data set's clips: what one machine of several does."""

from collections.abc import Sequence
from dataclasses import dataclass

from components.core.errors import UsageError
from components.datasets.clips import Clip


@dataclass(frozen=True)
class Part:
    """One of `count` parts, by number from 1."""

    number: int = 1
    count: int = 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def of(self, clips: Sequence[Clip]) -> list[Clip]:
        """The clips that belong to it; parts of the same clips share none.

        Videos are dealt from the largest to the smallest, there and back, so that parts take alike long;
        clips of one video stay together.
        """
        sizes = {clip.sha256: clip.size for clip in clips}
        dealt = sorted(sizes, key=lambda sha256: (-sizes[sha256], sha256))
        own = {sha256 for place, sha256 in enumerate(dealt) if self._seat(place) == self.number - 1}
        return [clip for clip in clips if clip.sha256 in own]

    def _seat(self, place: int) -> int:
        there, seat = divmod(place, self.count)
        return seat if there % 2 == 0 else self.count - 1 - seat


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
