"""Registries: names of a family's members, each imported when it is first asked for."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from components.core.errors import UsageError


class Registry:
    """A family of parts by name.

    Args:
        kind: what the members are, for messages: "segmenter".
        members: name to "package.module:attribute".
    """

    def __init__(self, kind: str, members: Mapping[str, str]) -> None:
        self.kind = kind
        self._members = dict(members)

    def names(self) -> list[str]:
        """The known names, in the order of their registration."""
        return list(self._members)

    def module(self, name: str) -> str:
        """The dotted module in which a member is written."""
        return self._address(name).partition(":")[0]

    def get(self, name: str) -> Any:
        """The member of this name, its module imported now.

        Raises:
            UsageError: no member has this name.
        """
        module, _, attribute = self._address(name).partition(":")
        return getattr(import_module(module), attribute)

    def _address(self, name: str) -> str:
        if name not in self._members:
            raise UsageError(
                f"{self.kind} `{name}` is not known",
                wanted=f"one of {', '.join(self._members)}",
                remedy=f"correct the {self.kind}'s name in params.yaml",
            )
        return self._members[name]
