"""Commands that run the flow, or set it up."""

import sys
from pathlib import Path

import click

from pipelines.commands.output import open_project, show, table


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def repro(folder: Path, arguments: tuple[str, ...]) -> None:
    """Run `dvc repro ARGUMENTS`, waiting for one that runs already; exit codes are the stages' own."""
    from pipelines.repro import run

    sys.exit(run(folder, arguments))


@click.command()
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


@click.command()
@click.option("--tries", type=int, default=2000, show_default=True, help="Seeds to look at.")
@click.pass_obj
def split(folder: Path, tries: int) -> None:
    """Search the split seed that balances the present data best; write it to params.yaml."""
    from pipelines.split import run

    run(open_project(folder), tries)


@click.command()
@click.argument("name", required=False)
@click.option("--root", default=None, help="The data set's root, in place of the profile's.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def profile(folder: Path, name: str | None, root: str | None, as_json: bool) -> None:
    """Write a ready-made params.yaml; without NAME, list the profiles."""
    from pipelines.profile import profiles, use_profile

    if name is None:
        show(profiles(), as_json, table)
    else:
        use_profile(folder, name, root)


@click.command()
@click.argument("stage", required=False)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def why(folder: Path, stage: str | None, as_json: bool) -> None:
    """Say what changed since STAGE (or STAGE@ITEM) last ran; without STAGE, of every stage."""
    from components.core.settings import to_dict
    from pipelines.why import run
    from pipelines.why_words import in_words

    answers = run(open_project(folder), stage)
    show(to_dict(answers) if as_json else answers, as_json, in_words)


@click.command()
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
    from pipelines.part import parse_part
    from pipelines.warm import run

    run(open_project(folder), stage, view, parse_part(part))


COMMANDS = (repro, sample, split, profile, why, warm)
