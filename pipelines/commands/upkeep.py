"""Commands that say what there is, and keep it whole and tidy."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from pipelines.commands.output import open_project, show, table


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def models(as_json: bool) -> None:
    """List the models that can be enabled in params.yaml."""
    from components.models.registry import describe_models

    show(describe_models(), as_json, table)


@click.command()
@click.option("--check", is_flag=True, help="Check the data set that params.yaml names; writes no outs.")
@click.option(
    "--strict", is_flag=True, help="With --check: end with one line of JSON; 3 if ingest would refuse."
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def adapters(folder: Path, check: bool, strict: bool, as_json: bool) -> None:
    """List the data set layouts that can be read, and the options of each.

    With --check, list the clips of the configured data set instead, look at every one, and tell which are
    missing, mislabelled, unreadable, without a frame or equal to others, and how labels go with containers.
    """
    from components.datasets.registry import describe_adapters

    if check:
        from pipelines.check_data_set import in_words, run
        from pipelines.check_data_set import strict as judge

        project = open_project(folder)
        found = run(project)
        if not strict:
            show(found, as_json, in_words)
            return
        click.echo(in_words(found), err=True)
        told = judge(project, found)
        click.echo(json.dumps(told))
        if not told["passed"]:
            sys.exit(3)
    else:
        show(describe_adapters(), as_json, table)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def doctor(folder: Path, as_json: bool) -> None:
    """Say what is installed, what is missing and what to do about it."""
    from pipelines.doctor import run

    rows, healthy = run(folder)
    show(rows, as_json, table)
    if not healthy:
        sys.exit(1)


@click.command()
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
    from pipelines.forget import carry_out, is_over, plan
    from pipelines.forget_words import after, before

    project = open_project(folder)
    found = plan(project, clips, sources)
    told = to_dict(found)
    if not (dry_run or is_over(project, found)):
        if not (yes or found.is_empty):
            click.confirm(f"{before(told)}\n\nRemove all this?", abort=True, err=True)
        told = read_json(carry_out(project, found))
    show(told, as_json, after if told["done"] else before)
    if told["left"]:
        sys.exit(3)


@click.command()
@click.pass_obj
def weights(folder: Path) -> None:
    """Fetch the Mask R-CNN weights that the pixellib segmenter needs."""
    from pipelines.weights import run

    click.echo(run(open_project(folder)))


@click.command()
@click.option("--repair", is_flag=True, help="Remake or restore what is damaged.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def verify(folder: Path, repair: bool, as_json: bool) -> None:
    """Read every byte of the store, the outs and DVC's cache, and compare it with its digest.

    Names every damaged file, and exits with 3 when one was not repaired. Objects in a bucket are checked
    whenever they are fetched.
    """
    from pipelines.verify import run

    rows = [asdict(row) for row in run(open_project(folder), repair=repair)]
    show(rows, as_json, lambda rows: table(rows) if rows else "nothing is damaged")
    if not all(row["repaired"] for row in rows):
        sys.exit(3)


@click.command()
@click.option("--dry-run", is_flag=True, help="List what would be removed; remove nothing.")
@click.option("--store", is_flag=True, help="Also the store's objects of no present clip and parameters.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def prune(folder: Path, dry_run: bool, store: bool, as_json: bool) -> None:
    """Remove what nobody asks for any more; clips of the data set are never touched.

    That is: outs of models and views that are not in params.yaml, temporary files and folders of dead
    processes, checkpoints of trainings that are not asked for, and what the store on this machine holds
    over its cap. Entries of removed items may stay in dvc.lock, where they do no harm; `dvc gc` is for
    DVC's cache.
    """
    from pipelines.prune import run

    rows = [asdict(row) for row in run(open_project(folder), dry_run=dry_run, store=store)]
    show(rows, as_json, table)
    verb = "would go" if dry_run else "gone"
    click.echo(f"{len(rows)} {verb}, {sum(row['size'] for row in rows) / 1e6:.1f} MB", err=True)


COMMANDS = (models, adapters, doctor, forget, weights, verify, prune)
