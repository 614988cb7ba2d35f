"""The peak of a process' memory."""

import subprocess
import sys

from components.core.memory import peak_memory_bytes

SCRIPT = """
from components.core.memory import peak_memory_bytes
before = peak_memory_bytes()
held = b"x" * 150_000_000
del held
print(before, peak_memory_bytes())
"""


def test_the_peak_stays_and_is_of_this_program_alone(project_root):
    held = b"x" * 300_000_000
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=project_root, capture_output=True, text=True, check=True
    )
    before, after = map(int, found.stdout.split())
    assert 140_000_000 < after - before < 160_000_000
    assert before < len(held) < peak_memory_bytes()
