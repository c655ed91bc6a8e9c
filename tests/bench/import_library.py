"""What a service pays for importing the library: its two dependencies, and next to nothing on top."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bench.cpu import compare
from bench.row import Row

LIMIT: Final = 1.15
"""The library may add 15 % to what its dependencies cost anyway, with every name in use."""

DEPENDENCIES: Final = "import opentelemetry.trace, prometheus_client"


def rows() -> Iterator[Row]:
    """The root alone, and the root with every public name used (the names are loaded when first used)."""
    programs = (
        ("import figwatch", "import figwatch"),
        ("and use every name", "import figwatch\nfor name in figwatch.__all__: getattr(figwatch, name)"),
    )
    for name, program in programs:
        found = compare(program, DEPENDENCIES)
        yield Row(
            name=f"{name} / import its two dependencies",
            ratio=found.ratio,
            limit=LIMIT,
            note=f"{found.program_ms:.1f} ms / {found.yardstick_ms:.1f} ms CPU",
        )
