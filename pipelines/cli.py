"""The `tailwatch` command."""

import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from components.core.errors import TailwatchError, of_system, one_line

STAGES = ("ingest", "extract", "segment", "featurize", "normalize", "reshape", "train", "evaluate", "compare")
_ITEM_OF = {"reshape": "VIEW", "train": "MODEL", "evaluate": "MODEL"}


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "-C", "folder", type=click.Path(path_type=Path), default=Path("."), help="The project's folder."
)
@click.option("-q", "--quiet", is_flag=True, help="Say only what is wrong.")
@click.version_option(package_name="tailwatch")
@click.pass_context
def cli(context: click.Context, folder: Path, quiet: bool) -> None:
    r"""Train, compare and promote classifiers of behaviour in surveillance video.

    \b
    First run:   make demo
    Every day:   edit params.yaml, then `dvc repro`, `tailwatch track`, `tailwatch report`
    Promotion:   tailwatch promote
    """
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


def _project(folder: Path) -> Any:
    from pipelines.artifacts import Project

    return Project.open(folder)


def _print(value: Any, as_json: bool, text: Callable[[Any], str]) -> None:
    click.echo(json.dumps(value, indent=1, sort_keys=True) if as_json else text(value))


def _table(rows: list[dict[str, Any]]) -> str:
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


@cli.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def repro(folder: Path, arguments: tuple[str, ...]) -> None:
    """Run `dvc repro ARGUMENTS`, waiting for one that runs already; exit codes are the stages' own."""
    from pipelines.repro import run

    sys.exit(run(folder, arguments))


@cli.command()
@click.argument("target", type=click.Path(path_type=Path), default=Path("data/sample"))
@click.option("--clips", type=int, default=None, help="So many clips, over all films.")
@click.option("--seed", type=int, default=None, help="Another seed makes another sample.")
@click.pass_obj
def sample(folder: Path, target: Path, clips: int | None, seed: int | None) -> None:
    """Render the sample data set: two-person scenes, stalking and not."""
    from components.simulation.sample import SampleSettings
    from pipelines.sample import make_sample

    given = {name: value for name, value in (("clips", clips), ("seed", seed)) if value is not None}
    make_sample(folder / target, SampleSettings(**given))


@cli.command()
@click.option("--tries", type=int, default=2000, show_default=True, help="Seeds to look at.")
@click.pass_obj
def split(folder: Path, tries: int) -> None:
    """Search the split seed that balances the present data best; write it to params.yaml."""
    from pipelines.split import run

    run(_project(folder), tries)


@cli.command()
@click.argument("name", required=False)
@click.option("--root", default=None, help="The data set's root, in place of the profile's.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def profile(folder: Path, name: str | None, root: str | None, as_json: bool) -> None:
    """Write a ready-made params.yaml; without NAME, list the profiles."""
    from pipelines.profile import profiles, use_profile

    if name is None:
        _print(profiles(), as_json, _table)
    else:
        use_profile(folder, name, root)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def models(as_json: bool) -> None:
    """List the models that can be enabled in params.yaml."""
    from components.models.registry import describe_models

    _print(describe_models(), as_json, _table)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def adapters(as_json: bool) -> None:
    """List the data set layouts that can be read."""
    from components.datasets.registry import describe_adapters

    _print(describe_adapters(), as_json, _table)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def doctor(folder: Path, as_json: bool) -> None:
    """Say what is installed, what is missing and what to do about it."""
    from pipelines.doctor import run

    rows, healthy = run(folder)
    _print(rows, as_json, _table)
    if not healthy:
        sys.exit(1)


@cli.command()
@click.argument("stage", required=False)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def why(folder: Path, stage: str | None, as_json: bool) -> None:
    """Say what changed since STAGE (or STAGE@ITEM) last ran; without STAGE, of every stage."""
    from components.core.settings import to_dict
    from pipelines.why import run
    from pipelines.why_words import in_words

    answers = run(_project(folder), stage)
    _print(to_dict(answers) if as_json else answers, as_json, in_words)


@cli.command()
@click.pass_obj
def report(folder: Path) -> None:
    """Print the last comparison and draw reports/index.html from it."""
    from pipelines.report import comparison_rows, run

    project = _project(folder)
    click.echo(_table(comparison_rows(project)))
    click.echo(f"\n{run(project)}")


@cli.command()
@click.pass_obj
def track(folder: Path) -> None:
    """Bring MLflow up to what lies in outs/; running it again adds nothing."""
    from pipelines.track import run

    run(_project(folder))


@cli.command()
@click.option("--model", default=None, help="The challenger; by default the one that compare names.")
@click.option("--approve", metavar="NAME", default=None, help="Approve a HOLD in this person's name.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def promote(folder: Path, model: str | None, approve: str | None, as_json: bool) -> None:
    """Ask the gate for the champion's place."""
    from pipelines.promote import describe_verdict
    from pipelines.promote import promote as run

    _print(run(_project(folder), model, approve), as_json, describe_verdict)


@cli.command()
@click.argument("uri", metavar="models:/NAME/NUMBER")
@click.option("--from-scratch", is_flag=True, help="Share no store: decode and measure every clip again.")
@click.option("--dataset", default=None, help="Where the data set lies now, if it was moved.")
@click.option("--keep", type=click.Path(path_type=Path), default=None, help="A new folder for the work tree.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def reproduce(
    folder: Path, uri: str, from_scratch: bool, dataset: str | None, keep: Path | None, as_json: bool
) -> None:
    """Make a registered version again from its tags alone and compare the digests; 3 if they differ."""
    from components.core.settings import to_dict
    from pipelines.reproduce import run, verdict

    result = run(folder, uri, from_scratch=from_scratch, dataset=dataset, keep=keep)
    _print(to_dict(result), as_json, lambda told: f"{_table(list(told['outs']))}\n\n{verdict(result)}")
    if not result.equal:
        sys.exit(3)


@cli.command()
@click.option("--to", "version", type=int, default=None, help="A version; by default the previous champion.")
@click.option("--by", required=True, help="Who decides.")
@click.option("--why", required=True, help="The reason.")
@click.pass_obj
def rollback(folder: Path, version: int | None, by: str, why: str) -> None:
    """Put an earlier version back in the champion's place."""
    from pipelines.promote import rollback as run

    click.echo(run(_project(folder), version, by, why))


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def history(folder: Path, as_json: bool) -> None:
    """List promotions and rollbacks."""
    from pipelines.promote import history as run

    _print(run(_project(folder)), as_json, _table)


@cli.command()
@click.argument("videos", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--model", default="models:/tailwatch@champion", show_default=True, help="A bundle folder or a model URI."
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def score(folder: Path, videos: tuple[Path, ...], model: str, as_json: bool) -> None:
    """Score videos with a trained model."""
    from pipelines.score import run

    rows = run(_project(folder), videos, model)
    _print(rows, as_json, _table)
    if any(row["class"] is None for row in rows):
        sys.exit(3)


@cli.command()
@click.option("--clip", "clips", multiple=True, help="A clip_id, as outs/ingest/labels.csv has it.")
@click.option("--source", "sources", multiple=True, help="All clips of a film or camera.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def forget(
    folder: Path, clips: tuple[str, ...], sources: tuple[str, ...], yes: bool, dry_run: bool, as_json: bool
) -> None:
    """Remove every trace of clips that are gone from the data set; say which models had learned from them."""
    from components.core.files import read_json
    from components.core.settings import to_dict
    from pipelines.forget import carry_out, plan
    from pipelines.forget_words import after, before

    project = _project(folder)
    found = plan(project, clips, sources)
    told = to_dict(found)
    if not (dry_run or found.is_empty):
        if not yes:
            click.confirm(f"{before(told)}\n\nRemove all this?", abort=True, err=True)
        told = read_json(carry_out(project, found))
    _print(told, as_json, after if told["done"] else before)
    if told["left"]:
        sys.exit(3)


@cli.command()
@click.pass_obj
def weights(folder: Path) -> None:
    """Fetch the Mask R-CNN weights that the pixellib segmenter needs."""
    from pipelines.weights import run

    click.echo(run(_project(folder)))


@cli.command()
@click.argument("stage", type=click.Choice(["extract", "segment", "featurize", "reshape"]))
@click.argument("view", required=False)
@click.option("--part", default="1/1", show_default=True, metavar="K/N", help="Which part, K from 1 to N.")
@click.pass_obj
def warm(folder: Path, stage: str, view: str | None, part: str) -> None:
    """Do one part of a stage's clips ahead of the stage's own run, which then takes them from the store.

    Needs only ingest's clips.csv, and writes only to the store, which the machines that do the parts
    must share (`store.root` in params.yaml). VIEW is for reshape. A clip that cannot be read is told and
    counted, and ends nothing: whether too many are bad is judged over all clips, by the stage's own run.
    """
    from pipelines.warm import run

    run(_project(folder), stage, view, part)


@cli.command()
@click.option("--repair", is_flag=True, help="Remake or restore what is damaged.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def verify(folder: Path, repair: bool, as_json: bool) -> None:
    """Read every byte of the store, the outs and DVC's cache, and compare it with its digest.

    Names every damaged file, and exits with 3 when one was not repaired. Objects in a bucket are checked
    whenever they are fetched.
    """
    from pipelines.verify import run

    rows = [asdict(row) for row in run(_project(folder), repair=repair)]
    _print(rows, as_json, lambda rows: _table(rows) if rows else "nothing is damaged")
    if not all(row["repaired"] for row in rows):
        sys.exit(3)


@cli.command()
@click.option("--dry-run", is_flag=True, help="List what would be removed; remove nothing.")
@click.option("--store", is_flag=True, help="Also the store's objects of no present clip and parameters.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def prune(folder: Path, dry_run: bool, store: bool, as_json: bool) -> None:
    """Remove what nobody asks for any more; clips of the data set are never touched.

    That is: outs of models and views that are not in params.yaml, temporary files of dead processes,
    checkpoints of trainings that are not asked for, and what the store on this machine holds over its
    cap. Entries of removed items may stay in dvc.lock, where they do no harm; `dvc gc` is for DVC's cache.
    """
    from pipelines.prune import run

    rows = [asdict(row) for row in run(_project(folder), dry_run=dry_run, store=store)]
    _print(rows, as_json, _table)
    verb = "would go" if dry_run else "gone"
    click.echo(f"{len(rows)} {verb}, {sum(row['size'] for row in rows) / 1e6:.1f} MB", err=True)


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


def _terminate(*_: Any) -> None:
    sys.exit(143)


def main() -> None:
    """The console script."""
    signal.signal(signal.SIGTERM, _terminate)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        cli(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (TailwatchError, OSError) as error:
        told = of_system(error) if isinstance(error, OSError) else error
        click.echo(f"tailwatch: {one_line(str(told))}", err=True)
        sys.exit(exit_code(error))


if __name__ == "__main__":
    main()
