"""What a data set's own files say of its licence."""

import pytest

from pipelines.cards.licence import stated_licence


@pytest.mark.parametrize(
    ("files", "said"),
    [
        pytest.param(
            {"LICENSE": "MIT License\n\nCopyright"}, 'LICENSE says: "MIT License"', id="a file of it"
        ),
        pytest.param(
            {"README.md": "# Fights\nLicence: CC BY 4.0\n"},
            'README.md says: "Licence: CC BY 4.0"',
            id="a line of the README",
        ),
        pytest.param(
            {"README.txt": "# Fights\n\n## License\n\nFor research only.\n"},
            'README.txt says: "For research only."',
            id="a heading of the README",
        ),
        pytest.param({"README.md": "# Licence"}, 'README.md says: "# Licence"', id="a heading and no more"),
        pytest.param(
            {"metadata.json": '{"license": "CC0"}'}, 'metadata.json says: "{"license": "CC0"}"', id="metadata"
        ),
        pytest.param({"README.md": "Videos of fights."}, "", id="a README that says nothing"),
        pytest.param({"metadata.csv": "clip_id,licence\n"}, "", id="a table's column"),
        pytest.param({"LICENSE": " \n"}, "", id="an empty file"),
        pytest.param({}, "", id="nothing"),
    ],
)
def test_what_is_stated_is_quoted(tmp_path, files, said):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert stated_licence(str(tmp_path)) == said


@pytest.mark.parametrize(
    "root", [pytest.param("s3://bucket/clips", id="far away"), pytest.param("/not/there", id="not there")]
)
def test_a_root_that_is_not_on_this_machine_says_nothing(root):
    assert stated_licence(root) == ""
