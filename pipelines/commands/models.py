"""Commands about runs, comparison and the registry, and about scoring."""

import sys
from pathlib import Path

import click

from pipelines.commands.output import open_project, show, table


@click.command()
@click.pass_obj
def report(folder: Path) -> None:
    """Print the last comparison and draw reports/index.html from it."""
    from pipelines.report import comparison_rows, run

    project = open_project(folder)
    click.echo(table(comparison_rows(project)))
    click.echo(f"\n{run(project)}")


@click.command()
@click.pass_obj
def track(folder: Path) -> None:
    """Bring MLflow up to what lies in outs/; running it again adds nothing."""
    from pipelines.track import run

    run(open_project(folder))


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
@click.argument("videos", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--model", default="models:/tailwatch@champion", show_default=True, help="A bundle folder or a model URI."
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def score(folder: Path, videos: tuple[Path, ...], model: str, as_json: bool) -> None:
    """Score videos with a trained model."""
    from pipelines.score import run

    rows = run(open_project(folder), videos, model)
    show(rows, as_json, table)
    if any(row["class"] is None for row in rows):
        sys.exit(3)


COMMANDS = (report, track, promote, reproduce, rollback, history, score)
