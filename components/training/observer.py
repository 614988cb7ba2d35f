"""What training tells whoever watches it; the numbers that depend on the clock go here and into no out."""

from collections.abc import Mapping
from typing import Any, Protocol


class Observer(Protocol):
    """Watches one training."""

    def on_start(self, facts: Mapping[str, Any]) -> None:
        """Before the first epoch: model, settings, clips per side, and from which epoch it goes on."""

    def on_epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """After an epoch, counted from 1."""

    def on_end(self, outcome: Mapping[str, Any]) -> None:
        """After the last epoch."""


class Unwatched:
    """Nobody watches."""

    def on_start(self, facts: Mapping[str, Any]) -> None:
        """Say nothing."""

    def on_epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Say nothing."""

    def on_end(self, outcome: Mapping[str, Any]) -> None:
        """Say nothing."""
