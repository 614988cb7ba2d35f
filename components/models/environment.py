"""What equal bytes depend on beside the lock: cores, instruction set and the libraries that compute."""

import os
import platform
from importlib import metadata
from pathlib import Path

PACKAGES = ("tensorflow", "keras", "numpy", "scikit-learn")
INSTRUCTION_SETS = ("avx", "avx2", "fma", "avx512f", "avx512_bf16", "avx512_vnni", "amx_tile", "asimd", "sve")


def describe_environment() -> dict[str, str]:
    """Versions, processor family and usable cores; no host names, no dates."""
    versions = {package: metadata.version(package) for package in PACKAGES}
    return versions | {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": str(usable_cores()),
        "instruction_sets": " ".join(_instruction_sets()),
    }


def usable_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _instruction_sets() -> list[str]:
    cpuinfo = Path("/proc/cpuinfo")
    words = set(cpuinfo.read_text().split()) if cpuinfo.is_file() else set()
    return [name for name in INSTRUCTION_SETS if name in words]
