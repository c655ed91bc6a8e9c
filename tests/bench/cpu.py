"""CPU time of short Python programs, compared fairly on a busy machine.

Each program runs in an interpreter of its own and reports the CPU time it used after start-up. The programs take turns,
so that whatever else the machine does hits them alike, and the ratio is the median over the pairs.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

RUNS: Final = 31
"""Pairs; an odd number, so that the median is one of them."""
WARM_UP: Final = 2
"""Pairs thrown away: they write the bytecode and fill the file cache."""

MEASURE: Final = """
import time
_started = time.process_time_ns()
try:
    exec(compile({program!r}, "bench", "exec"), {{"__name__": "bench"}})
finally:
    _spent = time.process_time_ns() - _started
    import os
    os.write({report}, str(_spent).encode())
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Two programs after taking turns."""

    ratio: float
    """The median, over the pairs, of program / yardstick."""
    program_ms: float
    """Median CPU milliseconds."""
    yardstick_ms: float
    """Median CPU milliseconds."""


def compare(program: str, yardstick: str, folder: Path | None = None) -> Comparison:
    """Let both programs take turns in ``folder`` and compare the CPU time they use after start-up."""
    pairs = [(spent(program, folder), spent(yardstick, folder)) for _ in range(RUNS + WARM_UP)][WARM_UP:]
    return Comparison(
        ratio=statistics.median(one / other for one, other in pairs),
        program_ms=statistics.median(one for one, _ in pairs) / 1e6,
        yardstick_ms=statistics.median(other for _, other in pairs) / 1e6,
    )


def spent(program: str, folder: Path | None = None) -> int:
    """CPU nanoseconds that ``program`` used; raises RuntimeError with its last words if it failed."""
    code = MEASURE.format(program=program, report=3)
    command = [sys.executable, "-c", f"import os; os.dup2(1, 3); os.dup2(2, 1)\n{code}"]
    done = subprocess.run(
        command, cwd=folder, env=_environment(), capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode != 0:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1])
    return int(done.stdout)


@cache
def _environment() -> dict[str, str]:
    """Bytecode is kept, in a folder of this run: a service is not compiled anew each time it starts either."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": _bytecode().name}


@cache
def _bytecode() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="figwatch-bench-")
