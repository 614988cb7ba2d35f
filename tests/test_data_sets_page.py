"""docs/data-sets.md against the code."""

import re
from dataclasses import fields

import yaml

from components.datasets.registry import ADAPTERS, check_options


def test_every_adapter_and_option_is_on_the_page(project_root):
    page = (project_root / "docs/data-sets.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \|(.*)\|$", page, re.MULTILINE))
    assert list(rows) == ADAPTERS.names()
    for name, rest in rows.items():
        told = set(re.findall(r"`(\w+)", rest))
        assert {field.name for field in fields(ADAPTERS.get(name).options)} <= told


def test_the_example_on_the_page_is_valid(project_root):
    page = (project_root / "docs/data-sets.md").read_text(encoding="utf-8")
    dataset = yaml.safe_load(re.search(r"```yaml\n(.*?)```", page, re.DOTALL)[1])["dataset"]
    assert check_options(dataset["adapter"], dataset["options"]).official_split == "anomaly_detection"
    assert set(dataset["label_map"].values()) <= set(dataset["classes"])
