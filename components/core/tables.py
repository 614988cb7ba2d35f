"""CSV tables with a fixed set of columns."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.core.errors import BadDataError
from components.core.files import atomic_path


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows atomically; None becomes an empty field, a key outside `columns` is a ValueError."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, extrasaction="raise", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path: Path, columns: Sequence[str] = ()) -> list[dict[str, str]]:
    """Read all rows as text.

    Raises:
        BadDataError: the file is missing, is no table, or lacks one of `columns`.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            present = reader.fieldnames or ()
            missing = [column for column in columns if column not in present]
            if missing:
                raise BadDataError(
                    f"{path} has the columns {', '.join(present) or 'none'}",
                    wanted=f"also {', '.join(missing)}",
                    remedy="add the missing columns, or run the stage that writes this table again",
                )
            return list(reader)
    except FileNotFoundError:
        raise BadDataError(
            f"{path} is not there", wanted=f"a table with {', '.join(columns)}", remedy="run `dvc repro`"
        ) from None
    except UnicodeDecodeError as error:
        raise BadDataError(
            f"{path} is not UTF-8 text", wanted="a CSV table in UTF-8", remedy="save it as UTF-8"
        ) from error
    except csv.Error as error:
        raise BadDataError(
            f"{path} is no CSV table: {error}",
            wanted="fields parted by commas, with quotes in pairs",
            remedy="correct it, or run the stage that writes this table again",
        ) from error
