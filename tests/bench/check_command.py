"""What ``figwatch check`` costs on the project's own slo/ folder, and what it must not load."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.cpu import compare, spent
from bench.row import Row

LIMIT: Final = 1.25
"""Reading and judging the files may add 25 % to importing the three parts that it needs."""

ROOT: Final = Path(__file__).resolve().parents[2]
YARDSTICK: Final = "from pydantic import BaseModel; import yaml, click"
"""pydantic loads its parts when they are first named, so the yardstick names the one that everybody uses."""

FORBIDDEN: Final = ("numpy", "aiohttp")

CHECK: Final = """
import sys
sys.argv = ["figwatch", "check", "slo"]
from figwatch_agent.__main__ import main
try:
    code = main()
except SystemExit as end:
    code = end.code
if code:
    sys.exit("figwatch check slo ended with " + str(code))
"""

LOADED: Final = """
loaded = [name for name in {forbidden!r} if name in sys.modules]
if loaded:
    sys.exit("figwatch check loads " + " and ".join(loaded))
"""


def rows() -> Iterator[Row]:
    """One row: the ratio, and a fault where something is loaded that a check has no use for."""
    fault = ""
    try:
        spent(CHECK + LOADED.format(forbidden=FORBIDDEN), ROOT)
    except RuntimeError as problem:
        fault = str(problem)
    found = compare(CHECK, YARDSTICK, ROOT)
    yield Row(
        name="figwatch check slo / import pydantic, PyYAML, click",
        ratio=found.ratio,
        limit=LIMIT,
        note=f"{found.program_ms:.1f} ms / {found.yardstick_ms:.1f} ms CPU",
        fault=fault,
    )
