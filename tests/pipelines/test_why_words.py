"""The answer of why, in words."""

import pytest

from pipelines.data_set import Difference
from pipelines.why import Cause, Why
from pipelines.why_words import NAMED, in_words

MANY = tuple(Difference(f"walk-{k}.mp4", "added") for k in range(NAMED + 2))
CODE = Cause(
    "code",
    "components/core",
    "changed",
    details=(Difference("components/core/files.py", "changed", ("digest", "write_json")),),
)


@pytest.mark.parametrize(
    ("answer", "lines"),
    [
        pytest.param(
            Why("compare", "no", (), (), None), ["compare: nothing changed, it would not run"], id="no"
        ),
        pytest.param(
            Why(
                "segment", "perhaps", (), ("ingest", "extract"), {"verb": "segmented", "anew": 1, "reused": 9}
            ),
            [
                "segment: nothing of its own changed; it runs if other results come from ingest, extract",
                "  1 clips would be segmented anew, 9 taken from the store",
            ],
            id="perhaps",
        ),
        pytest.param(
            Why(
                "train@fusion",
                "yes",
                (Cause("parameter", "train.batch", "changed", "8", None), CODE),
                (),
                None,
            ),
            [
                "train@fusion: it would run, because of what changed since it last ran:",
                "  parameter train.batch: 8 -> none",
                "  code components/core changed",
                "    components/core/files.py: changed (digest, write_json)",
            ],
            id="parameter and code",
        ),
        pytest.param(
            Why("ingest", "yes", (Cause("data", "clips", "changed", details=MANY),), (), None),
            [
                "ingest: it would run, because of what changed since it last ran:",
                "  data clips changed",
                *(f"    walk-{k}.mp4: added" for k in range(NAMED)),
                "    and 2 more",
            ],
            id="many clips",
        ),
        pytest.param(
            Why("extract", "yes", (Cause("never ran", "extract", "never ran"),), ("ingest",), None),
            [
                "extract: it would run, because of what changed since it last ran:",
                "  it never ran here",
                "  before it, these are not up to date: ingest",
            ],
            id="never ran",
        ),
    ],
)
def test_words(answer, lines):
    assert in_words([answer]).splitlines() == lines


def test_names_of_clips_cannot_write_to_the_terminal():
    cause = Cause("data", "clips", "changed", details=(Difference("a\x1b[2J\n.mp4", "added"),))
    assert r"a\x1b[2J\n.mp4: added" in in_words([Why("ingest", "yes", (cause,), (), None)])
