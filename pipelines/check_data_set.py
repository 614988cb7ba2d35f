"""The configured data set as its adapter finds it, checked before anything is computed of it."""

from collections.abc import Mapping
from typing import Any

from components.core.settings import to_dict
from components.datasets.digests import DigestCache
from components.datasets.names import some
from components.datasets.validation import validate
from pipelines.artifacts import Project
from pipelines.listing import list_data_set

SHOWN = 5  # names of a kind in the text, of however many


def run(project: Project) -> dict[str, Any]:
    """List the data set, look at every clip and say what is wrong; no outs are written.

    Raises:
        UsageError: a root or an adapter that is not there.
        BadDataError: a data set that is not laid out as its adapter reads it.
        StorageError: a remote data set that does not answer.
    """
    source, listing = list_data_set(project)
    classes, digests = project.params.dataset.classes, DigestCache(project.state("digests.json"))
    found = validate(source, listing, classes, digests, project.store)
    return {"adapter": project.params.dataset.adapter, **to_dict(found)}


def strict(project: Project, found: Mapping[str, Any]) -> dict[str, Any]:
    """Whether ingest would refuse the data set: counts alone, for machines.

    What a list names and is not there is no clip: ingest does not count it either.
    """
    bad = len(found["gone"]) + len(found["unreadable"]) + len(found["zero_frame"])
    settings = project.params.ingest
    labels_pass = settings.conflicts == "drop" or not found["mislabelled"]
    has_all = set(project.params.dataset.classes) <= set(found["classes"])
    return {
        "stage": "check",
        "clips": found["clips"],
        "sources": found["sources"],
        "bad": bad,
        "mislabelled": len(found["mislabelled"]),
        "passed": has_all and labels_pass and bad <= settings.max_bad_fraction * found["clips"],
    }


def in_words(found: Mapping[str, Any]) -> str:
    """The same for a person."""
    lines = [f"{found['adapter']}: {found['clips']} clips of {found['sources']} sources"]
    lines += [f"class {label}: {_counts(counts)}" for label, counts in found["classes"].items()]
    lines += [f"container {name}: {_counts(counts)}" for name, counts in found["containers"].items()]
    pairs = (f"{clip_id} ({why})" for clip_id, why in found["unreadable"])
    told = {
        "missing": found["missing"],
        "gone": found["gone"],
        "mislabelled": found["mislabelled"],
        "unreadable": list(pairs),
        "without a frame": found["zero_frame"],
        "equal bytes": [" = ".join(equal) for equal in found["duplicates"]],
        "left out": [f"{what} ({why})" for what, why in found["left_out"]],
    }
    lines += [f"{kind}, {len(what)}: {some(what, SHOWN) or 'none'}" for kind, what in told.items()]
    return "\n".join([*lines, *(f"warning: {warning}" for warning in found["warnings"])])


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
