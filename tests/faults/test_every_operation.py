"""Whichever operation of a stage fails, it ends with a sentence, and the next run gives the same bytes."""

import shutil

import pytest

from tests.faults.conftest import STAGES
from tests.faults.tiny import copy_of, residue, results

pytestmark = pytest.mark.slow
KINDS = {"full": "No space left on device", "broken": "Input/output error"}


@pytest.mark.parametrize("stage", STAGES, ids="@".join)
def test_a_stage_survives_the_failure_of_any_operation(stage, reference, forker, tmp_path):
    for k in range(1, reference.operations[stage] + 1):
        kind = list(KINDS)[k % 2]
        project = copy_of(reference.before[stage], tmp_path / "project")
        plan = {"TAILWATCH_FAULT": f"{kind}@{k}", "TAILWATCH_FAULT_LOG": str(tmp_path / "log")}
        code, printed = forker.run(project.folder, *stage, **plan)
        assert code in (0, 4, 5), f"{plan}: {printed}"
        assert code == 0 or KINDS[kind] in printed, f"{plan}: {printed}"
        assert "Traceback" not in printed, f"{plan}: {printed}"
        assert not residue(project.folder), plan
        whole_or_absent(results(project.folder), reference.results, plan)
        code, printed = forker.run(project.folder, *stage)
        assert code == 0, f"after {plan}: {printed}"
        made = results(project.folder)
        assert made == {name: reference.results[name] for name in made}, plan
        shutil.rmtree(tmp_path / "project")
        (tmp_path / "log").unlink()


def whole_or_absent(found, wanted, plan):
    """Every final name bears the bytes of an undisturbed run."""
    different = [name for name, sha256 in found.items() if wanted[name] != sha256]
    assert not different, f"{plan}: {different}"
