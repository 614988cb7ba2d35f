"""Every variable of the environment that the code reads stands in the README."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("components", "dags", "infra", "pipelines")
# read by tests' faults, or handed from one of our processes to another
OWN = {"TAILWATCH_FAULT", "TAILWATCH_FAULT_LOG", "TAILWATCH_RUN_TAGS"}


def test_the_readme_names_every_variable():
    code = "".join(path.read_text() for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    told = re.findall(r"`(\w+)[`=]", (ROOT / "README.md").read_text())
    named = {f"TAILWATCH{name}" if name.startswith("_") else name for name in told}
    assert set(re.findall(r"\bTAILWATCH_[A-Z0-9_]+", code)) - OWN <= named
