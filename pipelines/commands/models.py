"""Commands about runs, comparison and the registry, and about scoring."""

import json
import sys
from pathlib import Path

import click

from pipelines.commands.output import open_project, show, table


@click.command()
@click.pass_obj
def report(folder: Path) -> None:
    """Print the last comparison and draw reports/index.html from it.

    What a bundle costs (time, memory, multiply-adds of a clip) is measured the first time it is reported.
    """
    from pipelines.report import comparison_rows, run

    project = open_project(folder)
    click.echo(table(comparison_rows(project)))
    click.echo(f"\n{run(project)}")


@click.command()
@click.argument("model")
@click.option(
    "--over",
    multiple=True,
    required=True,
    metavar="NAME=VALUE,...",
    help="A setting and its values.",
)
@click.pass_obj
def vary(folder: Path, model: str, over: tuple[str, ...]) -> None:
    """Train MODEL under every combination of some settings; the table goes to reports/variations/.

    NAME is a setting of the model, `train.NAME` one of its training, `share` the share of the train side's
    sources that is learned from. Trained as the protocol says; what was trained once is not trained again.

    \b
    tailwatch vary resnet_convgru --over initializer=glorot_uniform,he_uniform --over train.optimizer=adam,sgd
    tailwatch vary fusion --over share=0.25,0.5,1.0
    """  # noqa: D301
    from pipelines.reporting.variations import in_short
    from pipelines.vary import run

    path = run(open_project(folder), model, over)
    click.echo(f"{table(in_short(path))}\n\n{path}\nChoose among variations by val, never by test.")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def track(folder: Path, as_json: bool) -> None:
    """Bring MLflow up to what lies in outs/; running it again adds nothing."""
    from pipelines.track import in_short, open_book, run

    project = open_project(folder)
    done = run(project)
    if as_json:
        show(in_short(done, open_book(project)), as_json, str)


@click.command()
@click.option("--model", default=None, help="The challenger; by default the one that compare names.")
@click.option("--approve", metavar="NAME", default=None, help="Approve a HOLD in this person's name.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def promote(folder: Path, model: str | None, approve: str | None, as_json: bool) -> None:
    """Ask the gate for the champion's place."""
    from pipelines.promote import describe_verdict
    from pipelines.promote import promote as run

    show(run(open_project(folder), model, approve), as_json, describe_verdict)


@click.command()
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
    show(to_dict(result), as_json, lambda told: f"{table(list(told['outs']))}\n\n{verdict(result)}")
    if not result.equal:
        sys.exit(3)


@click.command()
@click.option("--to", "version", type=int, default=None, help="A version; by default the previous champion.")
@click.option("--by", required=True, help="Who decides.")
@click.option("--why", required=True, help="The reason.")
@click.pass_obj
def rollback(folder: Path, version: int | None, by: str, why: str) -> None:
    """Put an earlier version back in the champion's place."""
    from pipelines.promote import rollback as run

    click.echo(run(open_project(folder), version, by, why))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def history(folder: Path, as_json: bool) -> None:
    """List promotions and rollbacks."""
    from pipelines.promote import history as run

    show(run(open_project(folder)), as_json, table)


@click.command()
@click.option(
    "--days", type=click.IntRange(1, 36500), default=30, show_default=True, help="How far back clips count."
)
@click.option(
    "--floor",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="Of clips; below, nothing is said.",
)
@click.option(
    "--limit",
    type=click.FloatRange(0.0, min_open=True),
    default=0.25,
    show_default=True,
    help="PSI from which on one is large.",
)
@click.option(
    "--report", type=click.Path(path_type=Path), default=None, help="Write every column here, as JSON."
)
@click.pass_obj
def drift(folder: Path, days: int, floor: int, limit: float, report: Path | None) -> None:
    """Say whether the clips scored lately still look like those that the champion learned from.

    Scored clips are read from .tailwatch/scores, or where TAILWATCH_SCORES says (a folder or s3://bucket/prefix).
    Every column is told with its n; the last line is JSON. Drift is no failure: the exit code is 0.
    """
    from components.core.files import write_json
    from pipelines.drift import run

    answer, columns = run(open_project(folder), days, floor, limit)
    if report is not None:
        write_json(report, {**answer, "table": columns})
    if columns:
        click.echo(table(columns), err=True)
    click.echo(json.dumps(answer))


@click.command()
@click.argument("videos", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--model", default="models:/tailwatch@champion", show_default=True, help="A bundle folder or a model URI."
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def score(folder: Path, videos: tuple[Path, ...], model: str, as_json: bool) -> None:
    """Score videos with a trained model."""
    from pipelines.score import for_people, run

    rows = run(open_project(folder), videos, model)
    show(rows, as_json, lambda rows: table([for_people(row) for row in rows]))
    if any(row["class"] is None for row in rows):
        sys.exit(3)


COMMANDS = (report, vary, track, promote, reproduce, rollback, history, drift, score)
