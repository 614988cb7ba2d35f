"""Cells and tables of a page."""

from collections.abc import Iterable, Sequence


def table(names: str, rows: Iterable[str]) -> str:
    """A table of Markdown; `names` are the columns, parted by bars."""
    return "\n".join([f"| {names} |", "|" + "---|" * (names.count("|") + 1), *rows, ""])


def row(*cells: object) -> str:
    """One row of cells."""
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def share(value: float) -> str:
    """A share in [0, 1] with two digits."""
    return f"{value:.2f}"


def count(hits: Sequence[bool]) -> str:
    """How many of how many; nothing of nothing is a dash."""
    return f"{int(sum(hits))} of {len(hits)}" if len(hits) else "-"
