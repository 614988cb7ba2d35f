import pytest

from components.core.errors import BadDataError
from components.core.tables import read_csv, write_csv


def test_rows_come_back_as_they_went(tmp_path):
    rows = [{"clip": 'walk "7",\nnew line.mp4', "label": ""}, {"clip": "ümlaut.mp4", "label": "x"}]
    write_csv(tmp_path / "t.csv", ("clip", "label"), rows)
    assert read_csv(tmp_path / "t.csv", ("clip",)) == rows


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"clip\na\n", "also label", id="missing column"),
        pytest.param(None, "is not there", id="missing file"),
        pytest.param("clip,label\nä,1\n".encode("latin-1"), "not UTF-8", id="another encoding"),
        pytest.param(b"", "has the columns none", id="empty"),
        pytest.param(b'clip,label\na,"' + b"x" * 200_000, "no CSV table: field larger", id="open quote"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(tmp_path, content, message):
    path = tmp_path / "t.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadDataError, match=message):
        read_csv(path, ("clip", "label"))
