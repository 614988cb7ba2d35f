"""The `tailwatch` command."""

import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

import click

from components.core.errors import TailwatchError, of_system, one_line
from pipelines.commands import flow, models, retraining, upkeep

STAGES = ("ingest", "extract", "segment", "featurize", "normalize", "reshape", "train", "evaluate", "compare")
_GIT_OF_CALLER = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_SHALLOW_FILE"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH", "GIT_NAMESPACE"),
)
_ITEM_OF = {"reshape": "VIEW", "train": "MODEL", "evaluate": "MODEL"}


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "-C", "folder", type=click.Path(path_type=Path), default=Path("."), help="The project's folder."
)
@click.option("-q", "--quiet", is_flag=True, help="Say only what is wrong.")
@click.version_option(package_name="tailwatch")
@click.pass_context
def cli(context: click.Context, folder: Path, quiet: bool) -> None:
    """Train, compare and promote classifiers of behaviour in surveillance video.

    \b
    First run:   make demo
    Every day:   edit params.yaml, then `dvc repro`, `tailwatch track`, `tailwatch report`
    Promotion:   tailwatch promote
    """  # noqa: D301
    context.obj = folder.resolve()
    _configure_logging(quiet)


def _configure_logging(quiet: bool) -> None:
    logging.basicConfig(format="%(message)s", stream=sys.stderr, level=logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_OneLine())
    logging.getLogger("tailwatch").setLevel(logging.WARNING if quiet else logging.INFO)


class _OneLine(logging.Formatter):
    """A message on a line of its own: names of files may hold what moves a terminal's cursor."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        return one_line(super().formatMessage(record))


def _add_stage(stage: str) -> None:
    item = _ITEM_OF.get(stage)
    doc = f"Run the {stage} stage{f' for one {item.lower()}' if item else ''}, as `dvc repro` does."

    @click.pass_obj
    def command(folder: Path, **arguments: str) -> None:
        from pipelines.running import run_stage

        run_stage(folder, stage, tuple(arguments.values()), exit_code)

    built = click.command(stage, help=doc)(command)
    if item:
        built = click.argument(item.lower())(built)
    cli.add_command(built)


for _stage in STAGES:
    _add_stage(_stage)

for _command in (*flow.COMMANDS, *models.COMMANDS, *retraining.COMMANDS, *upkeep.COMMANDS):
    cli.add_command(_command)


def exit_code(error: BaseException) -> int:
    """A failure's exit code: 2 usage, 3 bad data, 4 storage, 5 resource, 42 final, 130/143 interrupted."""
    if isinstance(error, OSError):
        error = of_system(error)
    if isinstance(error, TailwatchError):
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return 130
    if isinstance(error, MemoryError):
        return 5
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    return 1


def _forget_callers_repository() -> None:
    """Within a hook, git would take the hook's repository for any that we name, and move its HEAD."""
    for name in _GIT_OF_CALLER:
        os.environ.pop(name, None)


def _terminate(*_: Any) -> None:
    sys.exit(143)


def main() -> None:
    """The console script."""
    signal.signal(signal.SIGTERM, _terminate)
    _forget_callers_repository()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        cli(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except MemoryError as error:
        click.echo(
            "tailwatch: The memory does not suffice. Wanted: more of it. "
            "To do: set TAILWATCH_WORKERS to fewer workers, or use a larger machine.",
            err=True,
        )
        sys.exit(exit_code(error))
    except (TailwatchError, OSError) as error:
        told = of_system(error) if isinstance(error, OSError) else error
        click.echo(f"tailwatch: {one_line(str(told))}", err=True)
        sys.exit(exit_code(error))


if __name__ == "__main__":
    main()
