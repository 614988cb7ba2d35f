"""What one finished piece of work says of itself, as plain values, whoever files it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.core.files import digest

RUN_KEY = "tailwatch.run_key"
MAX_PARAM_LENGTH = 6000
MAX_TAG_LENGTH = 8000


@dataclass(frozen=True)
class Point:
    """One measured value.

    Attributes:
        step: the epoch of a history; 0 for a value measured once.
    """

    name: str
    value: float
    step: int = 0


@dataclass(frozen=True)
class DataInput:
    """Data that a run read, named by its digest and never copied.

    Attributes:
        name: what it is, for people: "tensors_cnn".
        digest: as DVC has it.
        source: where it lies: a path in the project, or a URI.
        context: what it was for: "training", "testing".
    """

    name: str
    digest: str
    source: str
    context: str


@dataclass(frozen=True)
class RunRecord:
    """Everything that is filed of one run.

    Attributes:
        name: stage and item, as DVC has them: "train@fusion".
        key: digest of what made the result; the same key is the same run.
        params: nested plain values; filed flat, "optimizer.learning_rate".
        origin: tags of where and when it was made, written once, when the run is created.
        artifacts: path below the run's artefacts to content.
        pictures: more artefacts, drawn from the others, only when there is something to file.
    """

    name: str
    key: str
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Sequence[Point] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    origin: Mapping[str, str] = field(default_factory=dict)
    inputs: Sequence[DataInput] = ()
    artifacts: Mapping[str, bytes] = field(default_factory=dict)
    pictures: Callable[[], Mapping[str, bytes]] = dict


def run_key(name: str, causes: Mapping[str, Any]) -> str:
    """The key of a run: the same for the same causes, on every machine.

    Args:
        name: stage and item: "train@fusion".
        causes: digests and settings that decided the result.
    """
    return digest({"name": name, "causes": causes})


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested values as dotted names and text, cut at MLflow's longest parameter."""
    return dict(_flat_items(values, prefix))


def _flat_items(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for key in sorted(values):
        name, value = f"{prefix}{key}", values[key]
        if isinstance(value, Mapping) and value:
            yield from _flat_items(value, f"{name}.")
        else:
            yield name, str(value)[:MAX_PARAM_LENGTH]


def content_digest(record: RunRecord) -> str:
    """Digest of all that a record says: a run that carries it lacks nothing."""
    import hashlib

    return digest(
        {
            "params": flatten(record.params),
            "metrics": sorted((point.name, point.step, repr(point.value)) for point in record.metrics),
            "tags": dict(record.tags),
            "inputs": sorted((data.name, data.digest, data.context) for data in record.inputs),
            "artifacts": {
                path: hashlib.sha256(content).hexdigest() for path, content in record.artifacts.items()
            },
        }
    )
