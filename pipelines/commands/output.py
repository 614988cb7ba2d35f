"""What commands print."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


def open_project(folder: Path) -> Any:
    """The project in a folder, its parameters checked."""
    from pipelines.artifacts import Project

    return Project.open(folder)


def show(value: Any, as_json: bool, text: Callable[[Any], str]) -> None:
    """Print a value as JSON for machines, else as text."""
    click.echo(json.dumps(value, indent=1, sort_keys=True) if as_json else text(value))


def table(rows: list[dict[str, Any]]) -> str:
    """Rows as aligned text, under all of their keys."""
    if not rows:
        return "none"
    head = list(dict.fromkeys(name for row in rows for name in row))
    cells = [head, *([_cell(row.get(name)) for name in head] for row in rows)]
    widths = [max(len(row[k]) for row in cells) for k in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
