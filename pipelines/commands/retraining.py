"""Commands of a scheduled retraining: what its tasks run, on as many machines as there are."""

import json
import os
import sys
from pathlib import Path

import click

from components.core.errors import UsageError


@click.command("begin-run")
@click.argument("run")
@click.option(
    "--commit", default="HEAD", show_default=True, metavar="REV", help="Which state of the project."
)
@click.option("--dataset-root", default=None, metavar="ROOT", help="Where the data set lies.")
@click.option("--tag", "tags", multiple=True, metavar="NAME=VALUE", help="A tag of the run's MLflow runs.")
@click.pass_obj
def begin_run(folder: Path, run: str, commit: str, dataset_root: str | None, tags: tuple[str, ...]) -> None:
    """Settle what the tasks of RUN work on: the commit, the data set, the tags. A second call finds it.

    Without --dataset-root, TAILWATCH_DATASET_ROOT says where the data set lies, or else params.yaml.
    """
    from components.core.exchange import open_exchange
    from pipelines.params import ROOT_VARIABLE
    from pipelines.retraining.places import read_places
    from pipelines.retraining.run import begin, parse_tags
    from pipelines.retraining.steps import git_remote

    places = read_places(folder)
    git_remote(places)  # refused now, not after the promotion
    root = dataset_root or os.environ.get(ROOT_VARIABLE, "")
    found = begin(places, open_exchange(places.runs), run, commit, root, parse_tags(tags))
    _answer({"run": run, "commit": found.commit, "began": found.began})


@click.command("run-stage")
@click.argument("name")
@click.option("--run", required=True, help="The run, as `tailwatch begin-run` named it.")
@click.option("--part", default=None, metavar="K/N", help="Only warm the store with this part of the clips.")
@click.option("--approve", metavar="PERSON", default=None, help="Of promote: approve a HOLD in this name.")
@click.pass_obj
def run_stage(folder: Path, name: str, run: str, part: str | None, approve: str | None) -> None:
    """Run one stage of a run where nothing else runs, and hand its result to the others.

    NAME is a stage as DVC has it (ingest, train@fusion), or one of the steps that follow the stages: track,
    promote, report, finish. What is there already is not done again: a stage of a run is executed once.
    Places are said by TAILWATCH_PROJECT, TAILWATCH_RUNS, TAILWATCH_REMOTE, TAILWATCH_STORE and
    TAILWATCH_WORKSPACES. The last line printed is JSON.
    """
    from pipelines.part import parse_part
    from pipelines.retraining.places import read_places
    from pipelines.retraining.stage import run_stage as run_one
    from pipelines.retraining.stage import warm_part
    from pipelines.retraining.steps import STEPS, run_step

    misplaced = "--approve" if approve is not None and name != "promote" else ""
    if misplaced or (part is not None and name in STEPS):
        raise UsageError(
            f"{misplaced or '--part'} is not for {name}",
            wanted="--approve with promote, --part with a stage over clips",
            remedy="leave it out",
        )
    wanted = None if part is None else parse_part(part)
    places = read_places(folder)
    if name in STEPS:
        _answer(run_step(places, run, name, approve))
    elif wanted is not None:
        _answer(warm_part(places, run, name, wanted))
    else:
        _answer(run_one(places, run, name))


@click.command(
    "at-commit", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
)
@click.option(
    "--commit", default="HEAD", show_default=True, metavar="REV", help="Which state of the project."
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_obj
def at_commit(folder: Path, commit: str, command: tuple[str, ...]) -> None:
    """Run another tailwatch COMMAND in a private workspace, at a commit of the project.

    For a machine that has no project's folder, or may not write to it. Name files by absolute paths: the
    workspace is removed. Places are said as for `run-stage`.
    """
    from pipelines.retraining.at_commit import run_at_commit
    from pipelines.retraining.places import read_places

    run_at_commit(read_places(folder), commit, command)


def _answer(told: dict[str, object]) -> None:
    sys.stderr.flush()
    click.echo(json.dumps(told))


COMMANDS = (begin_run, run_stage, at_commit)
