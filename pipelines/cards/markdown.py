"""Markdown of cards: tables, lists and numbers; text of others cannot break out of its cell."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from components.core.errors import one_line

NOT_KNOWN = "not known"


def page(title: str, sections: Mapping[str, Sequence[str]]) -> str:
    """A document: blocks of text under their headings; a heading without blocks says so."""
    parts = [f"# {title}"]
    for heading, blocks in sections.items():
        said = [block for block in blocks if block]
        parts += [f"## {heading}", *(said or [f"{NOT_KNOWN.capitalize()}."])]
    return "\n\n".join(parts) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table; empty where there are no rows."""
    lines = [f"| {' | '.join(plain(cell) for cell in row)} |" for row in rows]
    if not lines:
        return ""
    return "\n".join([f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}", *lines])


def without_rows(page: str, column: str, values: Iterable[str]) -> str:
    """A page without the rows of these values, in tables whose first column is `column`."""
    gone, kept, inside = tuple(f"| {plain(value)} |" for value in values), [], False
    for line in page.splitlines(keepends=True):
        if not (inside and line.startswith(gone)):
            kept.append(line)
        inside = line.startswith("|") and (inside or line.startswith(f"| {column} |"))
    return "".join(kept)


def facts(values: Mapping[str, Any]) -> str:
    """A list of named facts; one that is None or empty is not known."""
    return "\n".join(f"- {name}: {plain(value)}" for name, value in values.items())


def plain(value: Any) -> str:
    """One value as text on one line."""
    if value is None or (isinstance(value, str | list | tuple | Mapping) and not value):
        return NOT_KNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {plain(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value)
    return one_line(str(value)).replace("|", "\\|").replace("<", "&lt;")


def bounded(found: Mapping[str, Any] | None) -> str:
    """A metric with its interval: "0.880 (0.820 to 0.940)"."""
    if found is None or found["value"] is None:
        return "undefined"
    if found["low"] is None:
        return f"{found['value']:.3f} (no interval)"
    return f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})"
