"""The steps after the stages; whole ones are in tests/integration."""

import subprocess

import pytest

from pipelines.retraining.run import Run
from pipelines.retraining.steps import _reads, branch_of


@pytest.mark.parametrize(
    "name", ["spring", "manual__2026-11-21T10-00-00.1-00-00", "a..b", ".hidden", "x.lock", "a.", "-"]
)
def test_a_branch_that_git_takes(name):
    branch = branch_of(Run(name, "c", "", "2026-11-21T10:00:00+00:00"))
    assert branch.startswith("retrain/2026-11-21-")
    assert subprocess.run(["git", "check-ref-format", f"refs/heads/{branch}"]).returncode == 0


@pytest.mark.parametrize(
    ("step", "stage", "read"),
    [
        ("track", "reshape@people128", False),
        ("track", "train@fusion", True),
        ("promote", "reshape@people128", True),
        ("finish", "compare", False),
    ],
)
def test_what_a_step_reads(step, stage, read):
    assert _reads(step, stage) is read
