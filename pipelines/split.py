"""The split seed that balances the present data best, written into params.yaml."""

import logging
from pathlib import Path

import yaml

from components.core.errors import UsageError
from components.core.files import write_text
from components.datasets.splits import search_random_seed, search_seed
from pipelines.artifacts import Project
from pipelines.listing import list_data_set
from pipelines.params import PARAMS_FILE

log = logging.getLogger("tailwatch")


def run(project: Project, tries: int) -> None:
    """Search the seed and write it.

    Args:
        project: whose data set is split.
        tries: seeds to look at.

    Raises:
        UsageError: no seed is better than another: the split is given by the data set, or stratified.
    """
    params = project.params
    if params.split.strategy == "given":
        raise UsageError(
            "split.strategy is given: the data set's own table splits it",
            wanted="split.strategy group or random",
            remedy="change it in params.yaml before a seed is searched",
        )
    if params.split.stratified:
        raise UsageError(
            "split.stratified divides each class alike under every seed",
            wanted="a split whose classes depend on the seed",
            remedy="keep the seed; add clips of a class that a side lacks",
        )
    entries = list_data_set(project)[1].entries
    shares = params.split.fractions
    fractions = (shares.train, shares.val, shares.test)
    labels = [entry.label for entry in entries]
    if params.split.strategy == "random":
        seed = search_random_seed([entry.clip_id for entry in entries], labels, fractions, tries)
    else:
        seed = search_seed([entry.group for entry in entries], labels, fractions, tries)
    write_seed(project.root / PARAMS_FILE, seed)
    log.info("split.seed: %d, the best of %d", seed, tries)


def write_seed(path: Path, seed: int) -> None:
    """Set split.seed in a params.yaml; every other character stays as it is."""
    text = path.read_text(encoding="utf-8")
    write_text(path, with_seed(text, seed))


def with_seed(text: str, seed: int) -> str:
    r"""The text of a params.yaml with another split.seed.

    Example:
        >>> print(with_seed("split:\n  strategy: group  # by film\n  seed: 1  # searched\n", 27), end="")
        split:
          strategy: group  # by film
          seed: 27  # searched
    """
    split = _value(yaml.compose(text, Loader=yaml.SafeLoader), "split")
    if not isinstance(split, yaml.MappingNode):
        return f"{text.rstrip()}\n\nsplit:\n  seed: {seed}\n"
    old = _value(split, "seed")
    if old is not None:
        return f"{text[: old.start_mark.index]}{seed}{text[old.end_mark.index :]}"
    start = split.start_mark
    if split.flow_style:
        comma = ", " if split.value else ""
        return f"{text[: start.index + 1]}seed: {seed}{comma}{text[start.index + 1 :]}"
    return f"{text[: start.index]}seed: {seed}\n{' ' * start.column}{text[start.index :]}"


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)
