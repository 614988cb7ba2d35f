"""A run killed in the middle of every stage goes on without a hand's help, and ends with the same bytes."""

import os
import random

import pytest

from tests.faults.conftest import STAGES
from tests.faults.test_every_operation import whole_or_absent
from tests.faults.tiny import copy_of, residue, results

pytestmark = pytest.mark.slow
KILLED = -9
SEEDS = int(os.environ.get("TAILWATCH_SEEDS", "20"))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_run_killed_in_every_stage(seed, reference, forker, tmp_path):
    chance = random.Random(seed)
    project = copy_of(reference.before[STAGES[0]], tmp_path / "project")
    killed = 0
    for stage in STAGES:
        if chance.random() < 0.5:
            plan = {
                "TAILWATCH_FAULT": f"kill@{chance.randint(1, reference.operations[stage])}",
                "TAILWATCH_FAULT_LOG": str(tmp_path / "-".join(stage)),
            }
            code, printed = forker.run(project.folder, *stage, **plan)
        else:
            plan = {"kill_after_s": chance.uniform(0.01, 0.3)}
            code, printed = forker.run(project.folder, *stage, **plan)
        assert code in (0, KILLED), f"seed {seed}, {plan}: {printed}"
        killed += code == KILLED
        whole_or_absent(results(project.folder), reference.results, f"seed {seed}, {stage} {plan}")
        code, printed = forker.run(project.folder, *stage)
        assert code == 0, f"seed {seed}, after {stage} {plan}: {printed}"
    assert killed, f"seed {seed} killed nothing"
    assert results(project.folder) == reference.results
    for command in ("verify", "prune"):
        code, printed = forker.run(project.folder, command)
        assert code == 0, f"seed {seed}, {command}: {printed}"
    assert not residue(project.folder), f"seed {seed}"
