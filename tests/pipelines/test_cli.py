import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from components.core import errors
from pipelines import cli


@pytest.mark.parametrize(
    ("error", "code"),
    [
        pytest.param(errors.UsageError("a", wanted="b", remedy="c"), 2, id="usage"),
        pytest.param(errors.BadDataError("a", wanted="b", remedy="c"), 3, id="bad data"),
        pytest.param(errors.StorageError("a", wanted="b", remedy="c"), 4, id="storage"),
        pytest.param(errors.ResourceError("a", wanted="b", remedy="c"), 5, id="resource"),
        pytest.param(MemoryError(), 5, id="memory"),
        pytest.param(errors.FinalError("a", wanted="b", remedy="c"), 42, id="final"),
        pytest.param(KeyboardInterrupt(), 130, id="interrupted"),
        pytest.param(SystemExit(143), 143, id="terminated"),
        pytest.param(ZeroDivisionError(), 1, id="a bug"),
    ],
)
def test_exit_codes(error, code):
    assert cli.exit_code(error) == code


def test_a_stage_keeps_its_exit_code_where_dvc_loses_it(tmp_path):
    result = _tailwatch(tmp_path, "ingest")
    assert result.returncode == 2
    assert "params.yaml is not there" in result.stderr
    assert "Traceback" not in result.stderr
    assert not any(tmp_path.iterdir()), "what is no project is left as it was"
    (tmp_path / "params.yaml").write_text("dataset: 5\n")
    assert _tailwatch(tmp_path, "ingest").returncode == 2
    assert (tmp_path / ".tailwatch/exit/ingest").read_text() == "2\n"


def test_an_item_that_is_a_path_is_refused(tmp_path):
    (tmp_path / "params.yaml").write_text("dataset: 5\n")
    result = _tailwatch(tmp_path, "reshape", "../../../params.yaml")
    assert result.returncode == 2
    assert "'../../../params.yaml' is no name of a view or model" in result.stderr
    assert (tmp_path / "params.yaml").read_text() == "dataset: 5\n"


def _tailwatch(folder, *arguments):
    command = [sys.executable, "-m", "pipelines.cli", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("command", sorted(cli.cli.commands))
def test_every_command_has_help(command):
    result = CliRunner().invoke(cli.cli, [command, "--help"])
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 3


@pytest.mark.parametrize("command", [["models"], ["adapters"], ["profile"]], ids=lambda command: command[0])
def test_lists_can_be_read_by_machines(command):
    result = CliRunner().invoke(cli.cli, [*command, "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["models"], ["adapters"], ["profile"]], ids=lambda given: given[0]
)
def test_light_commands_import_nothing_heavy(arguments):
    code = (
        "import sys; from click.testing import CliRunner; from pipelines.cli import cli;"
        f"r = CliRunner().invoke(cli, {arguments!r}); assert r.exit_code == 0, r.output;"
        "print([m for m in ('tensorflow', 'mlflow', 'sklearn', 'pandas', 'cv2') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
