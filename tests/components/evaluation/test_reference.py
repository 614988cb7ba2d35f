"""The papers' rows, as they are printed."""

import pytest

from components.core.errors import UsageError
from components.evaluation.reference import PAPER_ROWS, paper_rows


def test_paper_000_rows():
    rows = {row.name: row for row in paper_rows(("stalking",))}
    expected = {"CNN": 0.68, "CNN-LSTM": 0.75, "CNN-MLP": 0.7983, "CNN-LSTM-MLP": 0.8958}
    assert {name: rows[name].value for name in expected} == expected
    assert {rows[name].model_id for name in expected} == {"vgg16", "convlstm", "vgg16_mlp", "fusion"}
    interval = rows["CNN-LSTM-MLP"].interval
    assert (round(interval.low, 3), round(interval.high, 3)) == (0.778, 0.955)
    assert "both sides" in rows["CNN"].remark


@pytest.mark.parametrize("table", PAPER_ROWS)
def test_every_row_is_marked_as_quoted(table):
    for row in paper_rows((table,)):
        assert row.source == "paper"
        assert row.metric in {"accuracy", "roc_auc"}
        assert 0.5 <= row.value <= 1


def test_unknown_table():
    with pytest.raises(UsageError, match=r"names `stalkin`\. Wanted: some of stalking, ucf50"):
        paper_rows(("stalkin",))
