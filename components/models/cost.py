"""What a bundle costs when it is asked: time, memory and multiply-adds for one clip on this machine's CPU.

A model of activations is asked from the frames of two seconds on, because its networks do the work; every
other model from its tensors on, so that faces and masks, which models share, are in nobody's figure.

Run as `python -m components.models.cost FOLDER`, it measures the bundle in a folder and prints one line of
JSON: a process of its own, so that no model's memory counts for another's.
"""

import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from subprocess import TimeoutExpired
from typing import Any

import numpy as np

from components.core import system
from components.core.code import code_digest
from components.core.errors import ResourceError
from components.core.files import canonical_json
from components.core.memory import peak_memory_bytes
from components.core.settings import parse, to_dict
from components.features import activations
from components.models.base import InputShapes, KerasDefinition
from components.models.bundle import Bundle, read_bundle
from components.models.environment import describe_environment
from components.models.multiply_adds import of_matrices, of_network
from components.models.networks import build_network
from components.models.registry import model_settings

CALLS, LONGEST_S = 100, 3.0
LOOKED_AT = (20, 240, 320)  # frames of a clip whose activations are looked at: two seconds
CHILD_S = 300.0
_CPU_ALONE = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}


@dataclass(frozen=True)
class Cost:
    """What one clip costs.

    Attributes:
        parameters: numbers in the weights.
        multiply_adds: products with kernels; None of a network with a layer that cannot be counted.
        p50_ms, p95_ms: time of a call for one clip, the first call left out.
        calls: how many were timed.
        peak_bytes: resident memory of a process that does nothing else, libraries included.
    """

    parameters: int
    multiply_adds: int | None
    p50_ms: float
    p95_ms: float
    calls: int
    peak_bytes: int


def cost_of(folder: Path) -> Cost:
    """Measure a bundle in a process of its own.

    Raises:
        ResourceError: the process failed, or took too long.
    """
    ours = str(Path(__file__).parents[2])
    path = os.pathsep.join([ours, *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "components.models.cost", str(folder.resolve())]
    try:
        done = system.run(command, env={**os.environ, **_CPU_ALONE, "PYTHONPATH": path}, timeout=CHILD_S)
    except TimeoutExpired:
        raise _unmeasured(folder, f"took more than {CHILD_S:.0f} s") from None
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise _unmeasured(folder, said[-1])
    cost: Cost = parse(Cost, json.loads(done.stdout.splitlines()[-1]), "cost")
    return cost


def measure(bundle: Bundle) -> Cost:
    """Measure a bundle here, the memory of this process with it."""
    times_ms = timed(_question(bundle))
    peak = peak_memory_bytes()  # before the network is built a second time, to be counted
    return Cost(
        parameters=bundle.info.parameters,
        multiply_adds=multiply_adds(bundle),
        p50_ms=float(np.percentile(times_ms, 50)),
        p95_ms=float(np.percentile(times_ms, 95)),
        calls=len(times_ms),
        peak_bytes=peak,
    )


def timed(call: Callable[[], Any], clock: Callable[[], float] = system.monotonic_s) -> list[float]:
    """Milliseconds of repeated calls after a first one, which is not timed; at least one, CALLS at most."""
    call()
    times_s: list[float] = []
    while not times_s or (len(times_s) < CALLS and sum(times_s) < LONGEST_S):
        started_s = clock()
        call()
        times_s.append(clock() - started_s)
    return [1000 * seconds for seconds in times_s]


def multiply_adds(bundle: Bundle) -> int | None:
    """Multiply-adds of one clip; None where a layer cannot be counted."""
    info, definition = bundle.info, bundle.definition
    if not isinstance(definition, KerasDefinition):
        networks = activations.multiply_adds(LOOKED_AT[0]) if info.shapes.activations else 0
        return of_matrices(bundle.arrays) + networks
    settings = model_settings(info.model_id, info.settings)
    network = build_network(info.model_id, definition, settings, info.shapes, len(info.classes))
    return of_network(network, _frames(info.shapes) if definition.kind == "frames" else 1)


def machine_facts() -> dict[str, str]:
    """What costs depend on beside the bundle: processor, cores, libraries, and the code that measures."""
    return describe_environment() | {"processor": _processor(), "code": code_digest(__name__)}


def main(folder: Path) -> None:
    """Measure and print."""
    sys.stdout.write(canonical_json(to_dict(measure(read_bundle(folder)))) + "\n")


def _question(bundle: Bundle) -> Callable[[], Any]:
    """Ask about one clip of noise."""
    rng = np.random.default_rng(0)
    shapes = bundle.info.shapes
    frames = None if shapes.frames is None else rng.integers(0, 256, (1, *shapes.frames), np.uint8)
    numbers = None if shapes.numbers is None else rng.normal(size=(1, *shapes.numbers)).astype(np.float32)
    if shapes.activations is not None:
        clip = rng.integers(0, 256, (*LOOKED_AT, 3), np.uint8)
        return lambda: bundle.predict(
            rows=[0], activations=activations.activation_changes(clip)[None], frames=frames, numbers=numbers
        )
    return lambda: bundle.predict(frames, numbers, [0])


def _frames(shapes: InputShapes) -> int:
    return (shapes.frames or shapes.numbers or (1,))[0]


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.is_file() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def _unmeasured(folder: Path, why: str) -> ResourceError:
    return ResourceError(
        f"The bundle in {folder} was not measured: {why}",
        wanted="a process that loads it and asks it",
        remedy="run `tailwatch report` again; `dvc repro` makes the bundle anew",
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
