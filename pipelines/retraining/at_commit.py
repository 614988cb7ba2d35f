"""A command of the project run at one of its commits, where nothing else runs and nothing else is written."""

import os
import sys
from collections.abc import Sequence

from components.core import system
from pipelines.params import ROOT_VARIABLE
from pipelines.retraining import git
from pipelines.retraining.child import hand_on
from pipelines.retraining.places import Places
from pipelines.retraining.run import Run
from pipelines.retraining.workspace import workspace

NAME = "at-commit"


def run_at_commit(places: Places, revision: str, arguments: Sequence[str]) -> None:
    """Run a tailwatch command in a private workspace; it prints where this process does.

    Raises:
        BadDataError: no such commit.
        StorageError: the repository does not answer.
        SystemExit: the command failed, with its own exit code.
    """
    commit = git.resolve(places.project, places.project_folder, revision)
    began = system.utc_now().isoformat(timespec="seconds")
    run = Run(NAME, commit, os.environ.get(ROOT_VARIABLE, ""), began)
    with workspace(places, run, NAME) as place:
        hand_on(place, arguments, sys.stdout)
