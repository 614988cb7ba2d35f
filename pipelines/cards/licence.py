"""What a data set's own files say of its licence."""

import re
from pathlib import Path

from pipelines.cards.markdown import plain

LONGEST_READ = 65_536
LONGEST_QUOTE = 200
_LICENCE_FILES = ("license", "licence", "copying")
_TOLD_IN = ("readme", "metadata")
_LICENCE = re.compile(r"licen[cs]e", re.IGNORECASE)


def stated_licence(root: str) -> str:
    """What the data set's own files say of its licence, quoted with the file's name; empty for nothing."""
    if "://" in root or not Path(root).is_dir():
        return ""
    files = [path for path in sorted(Path(root).iterdir()) if path.is_file()]
    for path in files:
        if _stem(path) in _LICENCE_FILES and (lines := _lines(path)):
            return _quote(path, lines[0])
    for path in files:
        if _stem(path) in _TOLD_IN and path.suffix != ".csv":
            lines = _lines(path)
            for k, line in enumerate(lines):
                if _LICENCE.search(line):
                    is_heading = line.startswith("#") and k + 1 < len(lines)
                    return _quote(path, lines[k + 1] if is_heading else line)
    return ""


def _stem(path: Path) -> str:
    return path.name.lower().partition(".")[0]


def _lines(path: Path) -> list[str]:
    with path.open(encoding="utf-8", errors="replace") as stream:
        return [line.strip() for line in stream.read(LONGEST_READ).splitlines() if line.strip()]


def _quote(path: Path, line: str) -> str:
    return plain(f'{path.name} says: "{line[:LONGEST_QUOTE]}"')
