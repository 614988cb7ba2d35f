"""reproduce: make a registered version again from its tags alone, in a work tree of its own.

Nothing is taken from the present params.yaml, outs or DVC's cache: the commit, the parameters and the digests
come from the version; only the store may be shared, whose objects are named by all that made them.
"""

import logging
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.core.errors import BadDataError, StorageError, UsageError
from components.core.files import read_json
from components.models.bundle import BUNDLE_FILE
from components.tracking.registry import ModelRegistry, Version
from components.tracking.store import open_store
from pipelines import dvc_files
from pipelines.artifacts import Project
from pipelines.data_set import differences_in_words
from pipelines.dvc_state import DvcState, dvc_cache
from pipelines.provenance import read_provenance
from pipelines.recipe import Recipe, differing, read_recipe
from pipelines.stage_graph import stages_file
from pipelines.work_tree import check_out, prepare, run_stage

log = logging.getLogger("tailwatch")

NAMED = 10  # clips named, of however many
_URI = re.compile(r"models:/(?P<name>[^/@]+)(/(?P<number>\d+)|@(?P<alias>[^/@]+))")


@dataclass(frozen=True)
class Reproduced:
    """What came out.

    Attributes:
        outs: per file: path, wanted and found digest, and whether they are equal.
        environment: what differs in this machine, name to (then, now).
        folder: the work tree, empty if it is gone.
    """

    version: int
    model: str
    commit: str
    equal: bool
    outs: tuple[dict[str, Any], ...]
    environment: Mapping[str, tuple[str, str]]
    folder: str


def run(
    root: Path, uri: str, *, from_scratch: bool = False, dataset: str | None = None, keep: Path | None = None
) -> Reproduced:
    """Make a version again and compare.

    Args:
        root: the project's folder: its registry and its git history are used.
        uri: models:/NAME/NUMBER or models:/NAME@ALIAS.
        from_scratch: decode and measure every clip again instead of sharing the store.
        dataset: where the data set lies now, if it was moved: an address, or a folder as seen from here.
        keep: an empty or new folder for the work tree, which then stays.

    Raises:
        UsageError: no project, no such version, or one that cannot be made again from its tags.
        BadDataError: the data set is another.
        StorageError: the registry, the commit or the data set is out of reach.
    """
    stages_file(root)
    version = _version(root, uri)
    recipe = read_recipe(version)
    data = _found_from_anywhere(dataset) if dataset else recipe.dataset_root
    _check_committed(version, recipe)
    with check_out(root, recipe, keep) as tree:
        prepare(root, tree, recipe, data, from_scratch=from_scratch)
        _check_code(tree, version, recipe)
        _check_data_set(root, tree, recipe)
        for stage in recipe.stages:
            log.info("%s", stage)
            run_stage(tree, stage, data, from_scratch=from_scratch)
        return _compared(tree, version, recipe, kept=keep is not None)


def _found_from_anywhere(dataset: str) -> str:
    return dataset if "://" in dataset else str(Path(dataset).resolve())


def _version(root: Path, uri: str) -> Version:
    match = _URI.fullmatch(uri)
    if match is None:
        raise UsageError(
            f"{uri} names no version", wanted="models:/NAME/NUMBER or models:/NAME@ALIAS", remedy="correct it"
        )
    registry = ModelRegistry(open_store(root), match["name"])
    found = registry.version(int(match["number"])) if match["number"] else registry.alias(match["alias"])
    if found is None:
        raise UsageError(
            f"{match['name']} has no version under the alias {match['alias']}",
            wanted="an alias that stands on a version",
            remedy="see `tailwatch history`, or name the version by its number",
        )
    return found


def _check_committed(version: Version, recipe: Recipe) -> None:
    if not recipe.commit:
        raise UsageError(
            f"Version {version.number} was registered outside a git repository",
            wanted="a commit that holds its code",
            remedy="commit the project, then train and register again",
        )
    if recipe.uncommitted:
        raise UsageError(
            f"Version {version.number} was registered with uncommitted code: {', '.join(recipe.uncommitted)}",
            wanted="code that its commit holds",
            remedy="commit it, then train and register again; this version cannot be made again",
        )


def _check_code(tree: Path, version: Version, recipe: Recipe) -> None:
    """The commit may lack what was not added to it, and may have come after the training."""
    found = {path: dvc_files.digest_now(tree, path) for path in recipe.code}
    others = list(differing(recipe.code, found))
    if others:
        raise UsageError(
            f"Version {version.number} was trained with code that its commit lacks: {', '.join(others)}",
            wanted=f"the code of {recipe.commit[:12]}",
            remedy="commit the code before training, then train and register again",
        )


def _check_data_set(root: Path, tree: Path, recipe: Recipe) -> None:
    project = Project.open(tree)
    found = DvcState(tree).digest_now("ingest", project.params.dataset.root)
    if found == recipe.dataset:
        return
    if not found:
        raise StorageError(
            f"The data set is not at {recipe.dataset_root}",
            wanted=f"the one of the digest {recipe.dataset}",
            remedy="put it there, or say where it lies now with --dataset",
        )
    raise BadDataError(
        f"The data set is another than the version was made from: {_what_differs(root, project, recipe)}",
        wanted=f"the digest {recipe.dataset}, not {found}",
        remedy="put back what changed, or name a folder that holds the old state with --dataset",
    )


def _what_differs(root: Path, project: Project, recipe: Recipe) -> str:
    """Which clips, if the project still has what ingest wrote of the old state."""
    cache = dvc_cache(root)
    for name in ("clips.csv", "labels.csv"):
        path = project.out("ingest", name)
        md5 = recipe.outs.get(str(path.relative_to(project.root)), "")
        kept = [root / "outs" / "ingest" / name]
        kept += [cache.objects / md5[:2] / md5[2:]] if cache else []
        same = [place for place in kept if dvc_files.digest_now(place.parent, place.name) == md5]
        if not same:
            return "which clips is not known, because its tables are not in DVC's cache any more"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(same[0], path)
    found, note = differences_in_words(project)
    named = [f"{ascii(one.name)[1:-1]} {one.change}" for one in found[:NAMED]]
    more = [f"{len(found) - NAMED} more"] if len(found) > NAMED else []
    return "; ".join([*named, *more]) or note


def _compared(tree: Path, version: Version, recipe: Recipe, *, kept: bool) -> Reproduced:
    made = read_provenance(tree).made(*recipe.outs)
    rows = tuple(
        {"out": path, "then": then, "now": made[path], "equal": made[path] == then}
        for path, then in recipe.outs.items()
    )
    now = read_json(tree / "outs" / "train" / version.model_id / BUNDLE_FILE)["environment"]
    others = {
        name: (recipe.environment.get(name, ""), str(now.get(name, "")))
        for name in sorted({*recipe.environment, *now})
        if recipe.environment.get(name, "") != str(now.get(name, ""))
    }
    return Reproduced(
        version.number,
        version.model_id,
        recipe.commit,
        all(row["equal"] for row in rows),
        rows,
        others,
        str(tree) if kept else "",
    )


def verdict(result: Reproduced) -> str:
    """The last lines of what is printed."""
    what = f"version {result.version} ({result.model}) at {result.commit[:12]}"
    if result.equal:
        return f"EQUAL: {what} was made again, every digest is the same"
    lines = [f"DIFFERENT: {what} was made again with other digests"]
    lines += [
        f"  this machine differs: {name} {then} -> {now}" for name, (then, now) in result.environment.items()
    ]
    if not result.environment:
        lines.append("  nothing that is recorded of the machine differs")
    return "\n".join(lines)
