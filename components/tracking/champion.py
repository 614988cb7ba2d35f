"""Who is champion: moved by compare-and-set, taken back, and remembered."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from components.core import system
from components.core.errors import UsageError
from components.tracking.claims import Claims
from components.tracking.registry import (
    CHALLENGER,
    CHAMPION,
    PREVIOUS,
    PROMOTION,
    REPLACED,
    ModelRegistry,
    Version,
)

PATIENCE_S = 30.0
MOVE = "tailwatch.move."

Action = Literal["promote", "rollback"]


@dataclass(frozen=True)
class Move:
    """One change of the champion.

    Attributes:
        number: counts the moves; that of a promoter that failed is left out.
        base: the number of the move before; 0 for none.
        version, replaced: versions of the registered model.
        by: who asked for it or approved it.
        at: UTC, ISO 8601.
    """

    number: int
    base: int
    action: Action
    version: int
    replaced: int | None
    by: str
    reason: str
    at: str


def promote(
    registry: ModelRegistry,
    expected: Version | None,
    new: Version,
    *,
    by: str,
    reason: str,
    tags: Mapping[str, str],
    patience_s: float = PATIENCE_S,
) -> Move:
    """Make `new` the champion, if `expected` still is.

    Args:
        expected: the champion that the gate compared with, None for none.
        tags: the evidence, written on the new version before it is champion.

    Raises:
        PromotionConflictError: another process moved the champion first.
        StorageError: the store did not answer; the champion is the old or the new one, never neither.
    """
    replaced = "" if expected is None else str(expected.number)
    return _move(registry, expected, new, "promote", by, reason, {**tags, REPLACED: replaced}, patience_s)


def rollback(
    registry: ModelRegistry, *, by: str, reason: str, to: int | None = None, patience_s: float = PATIENCE_S
) -> Move:
    """Give the champion's place back to the version that it replaced, or to an earlier champion.

    Args:
        to: a version's number; None for the one that the champion replaced.

    Raises:
        UsageError: there is no champion, nothing to go back to, or that version never was champion.
        PromotionConflictError: another process moved the champion at the same time.
    """
    champion = registry.champion()
    if champion is None:
        raise UsageError(
            f"{registry.name} has no champion", wanted="one to roll back", remedy="run `tailwatch promote`"
        )
    number = champion.replaced if to is None else to
    if number is None:
        raise UsageError(
            f"Version {champion.number} of {registry.name} replaced no other",
            wanted="an earlier champion",
            remedy="name a version with --to; see `tailwatch history`",
        )
    target = registry.version(number)
    if number not in {move.version for move in history(registry)}:
        raise UsageError(
            f"Version {number} of {registry.name} never was champion",
            wanted="an earlier champion, because a rollback passes no gate",
            remedy="choose a version from `tailwatch history`, or promote this one",
        )
    return _move(registry, champion, target, "rollback", by, reason, {}, patience_s)


def history(registry: ModelRegistry) -> list[Move]:
    """The moves that led to the present champion, newest first."""
    notes = registry.notes_on_model()
    champion = registry.champion()
    moves: list[Move] = []
    number = champion.promotion if champion else 0
    while f"{MOVE}{number:06d}" in notes:
        moves.append(Move(**json.loads(notes[f"{MOVE}{number:06d}"])))
        number = moves[-1].base
    return moves


def _move(
    registry: ModelRegistry,
    expected: Version | None,
    new: Version,
    action: Action,
    by: str,
    reason: str,
    tags: Mapping[str, str],
    patience_s: float,
) -> Move:
    def unchanged() -> bool:
        return _place(registry.champion()) == _place(expected)

    if expected is not None and expected.number == new.number:
        raise UsageError(
            f"Version {new.number} of {registry.name} is the champion already",
            wanted="another",
            remedy="nothing to do",
        )
    claims = Claims(registry.store, f"{registry.name}-promotion", patience_s)
    base = _place(expected)[1]
    claim = claims.take(base, unchanged)
    at = system.utc_now().isoformat(timespec="seconds")
    move = Move(claim.number, base, action, new.number, expected.number if expected else None, by, reason, at)
    registry.note_on_model(f"{MOVE}{move.number:06d}", json.dumps(asdict(move), sort_keys=True))
    registry.note(new.number, {**tags, PROMOTION: str(move.number)})
    claims.check(claim, unchanged)
    registry.set_alias(CHAMPION, new.number)
    _tidy_aliases(registry, new.number)
    return move


def _place(version: Version | None) -> tuple[int, int]:
    """What must not have changed: the version and the move that made it champion."""
    return (version.number, version.promotion) if version else (0, 0)


def _tidy_aliases(registry: ModelRegistry, champion: int) -> None:
    """`previous` is where a rollback would lead; the new champion asks for nothing any more."""
    registry.set_alias(PREVIOUS, registry.version(champion).replaced)
    challenger = registry.alias(CHALLENGER)
    if challenger is not None and challenger.number == champion:
        registry.set_alias(CHALLENGER, None)
