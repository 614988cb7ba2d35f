"""featurize: faces found, followed and measured: 29 numbers per frame, with what was missing.

Reads clips.csv and segment's index, writes outs/featurize/table.csv and coverage.json. Labels are no input.
What views want of pose networks' activations is made here, too, and kept in the store.
"""

from typing import Any

from components.core.files import write_json
from components.core.tables import write_csv
from components.datasets.clips import Clip
from components.features.chain import ClipChain
from components.features.coverage import clip_coverage
from components.features.table import TABLE_COLUMNS, read_numbers, table_rows
from pipelines.artifacts import Project, usable_clips
from pipelines.over_clips import over_clips


def run(project: Project) -> None:
    """Measure every clip that was read and segmented.

    Raises:
        BadDataError: too many clips cannot be measured.
    """
    outcomes = over_clips(project, usable_clips(project, "segment"), measure, verb="measured")
    table = project.out("featurize", "table.csv")
    write_csv(table, TABLE_COLUMNS, (row for outcome in outcomes for row in outcome.rows))
    min_coverage = project.params.featurize.min_coverage
    clips = {
        clip_id: clip_coverage(numbers, min_coverage) for clip_id, numbers in read_numbers(table).items()
    }
    set_aside = {outcome.clip.clip_id: outcome.reason for outcome in outcomes if outcome.reason}
    report = {"clips": clips, "min_coverage": min_coverage, "set_aside": set_aside}
    write_json(project.out("featurize", "coverage.json"), report)


def measure(chain: ClipChain, clip: Clip) -> tuple[list[dict[str, Any]], bool]:
    """One clip's rows of the table, and whether they were computed now."""
    measured = chain.measurements(clip)
    made = [chain.activations(clip, view).made for view in chain.settings.activation_views()]
    rows = table_rows(clip.clip_id, measured["times_s"], measured["found"], measured["numbers"])
    return list(rows), measured.made or any(made)
