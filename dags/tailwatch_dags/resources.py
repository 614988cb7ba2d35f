"""`resources:` of params.yaml: what a task of each class asks of its machine."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from tailwatch_dags.errors import GraphError

AMOUNT = r"[1-9][0-9]*(Mi|Gi|Ti|M|G|T)"  # of bytes


@dataclass(frozen=True)
class Resource:
    """One class of machine.

    Attributes:
        name: of the class, which a stage's `runs_on` says.
        pool: Airflow's pool, and of Celery the queue.
        cpu: cores.
        memory: as Kubernetes writes it, in mega-, giga- or terabytes: "8Gi".
        gpu: how many.
        minutes: after which a task is stopped.
        retries: after a failure that a retry may help.
        parts: into how many a stage over clips is divided.
    """

    name: str
    pool: str
    cpu: int
    memory: str
    minutes: int
    retries: int
    gpu: int = 0
    parts: int = 1

    def __post_init__(self) -> None:
        low = {"cpu": 1, "gpu": 0, "minutes": 1, "retries": 0, "parts": 1}
        for name, least in low.items():
            value = getattr(self, name)
            if type(value) is not int or value < least:
                raise GraphError(f"of class {self.name}", f"{name} is {value!r}", f"{least} or more")
        if not (isinstance(self.pool, str) and self.pool):
            raise GraphError(f"of class {self.name}", f"pool is {self.pool!r}", "the name of a pool")
        if not (isinstance(self.memory, str) and re.fullmatch(AMOUNT, self.memory)):
            raise GraphError(f"of class {self.name}", f"memory is {self.memory!r}", "an amount like 8Gi")


def read_resources(params: Mapping[str, Any]) -> dict[str, Resource]:
    """The classes by name.

    Raises:
        GraphError: a class that lacks something, or has something unknown.
    """
    known = {field.name for field in fields(Resource)} - {"name"}
    needed = known - {"gpu", "parts"}
    found = {}
    classes = params.get("resources") or {}
    if not isinstance(classes, Mapping):
        raise GraphError("(all)", f"resources is a {type(classes).__name__}", "a mapping of classes by name")
    for name, given in classes.items():
        if not isinstance(name, str):
            raise GraphError(f"of class {name}", f"its name is a {type(name).__name__}", "a text")
        if not isinstance(given, Mapping) or not needed <= set(given) <= known:
            raise GraphError(f"of class {name}", f"resources.{name} is {given}", ", ".join(sorted(known)))
        found[name] = Resource(name, **given)
    return found


def on_cpu(resource: Resource, classes: Mapping[str, Resource]) -> Resource:
    """The same demands in the pool of the class `cpu`, without a GPU.

    Raises:
        GraphError: there is no such class.
    """
    if "cpu" not in classes:
        raise GraphError(f"of class {resource.name}", "there is no class cpu to fall to", "resources.cpu")
    return replace(resource, pool=classes["cpu"].pool, gpu=0)
