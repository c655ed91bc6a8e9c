"""Worker processes that count and are killed, and what the folder they share answers."""

import math
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Final, NamedTuple

from figwatch import archive, cellfile, cells, mapped
from figwatch.cells import UNCAPPED, Cells, CounterCell, Definition, Family, HistogramCell, Reading
from figwatch.mapped import Mapped

COUNTER: Final = Definition(name="things_total", help="Things.", kind="counter", unit="", labels=("kind",))
HISTOGRAM: Final = Definition(
    name="waits_seconds", help="Waits.", kind="histogram", unit="seconds", labels=("kind",), bounds=(0.1, 0.2, 1.0)
)
CODE: Final = {str(module.__file__) for module in (archive, cellfile, cells, mapped)}
"""Files in whose lines a worker may be killed."""


class Worker(NamedTuple):
    """What one worker process counts with."""

    cells: Cells
    things: Family[CounterCell]
    waits: Family[HistogramCell]

    def add_one(self, kind: str = "a") -> None:
        """Count one thing that waited an eighth of a second, which a float holds exactly."""
        self.things.cell((kind,)).add()
        self.waits.cell((kind,)).observe(0.125)

    def look(self) -> dict[str, list[Reading]]:
        """What all workers counted, by family."""
        return {definition.name: readings for definition, readings in self.cells.snapshot()}


def worker(folder: Path, cap: int = UNCAPPED) -> Worker:
    """A worker of this folder, in this process."""
    shared = Cells(Mapped(folder))
    return Worker(
        shared,
        shared.counter(COUNTER, cap=cap, folded=ignore),
        shared.histogram(HISTOGRAM, cap=cap, folded=ignore),
    )


def ignore(_metric: str) -> None:
    """Nobody listens."""


def things(look: dict[str, list[Reading]]) -> int:
    """Things counted, over all kinds; every wait must stand in a bucket, and its eighth in the sum."""
    return sum(reading.counts[0] for reading in look["things_total"])


def waits(look: dict[str, list[Reading]]) -> tuple[int, float]:
    """Waits counted, and their sum."""
    readings = look["waits_seconds"]
    return sum(sum(reading.counts) for reading in readings), math.fsum(reading.total for reading in readings)


def killed(life: Callable[[], object]) -> bool:
    """Let a forked process live; whether it was killed, or came to its end."""
    child = os.fork()
    if not child:
        try:
            life()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def die() -> None:
    """As the kernel's out-of-memory killer would have it."""
    os.kill(os.getpid(), signal.SIGKILL)


def at_line(number: int, life: Callable[[], object]) -> Callable[[], None]:
    """The same life, killed before the line of ours that would be executed as `number`th."""
    left = number

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal left
        if frame.f_code.co_filename not in CODE:
            return None
        if event == "line":
            if left == 0:
                die()
            left -= 1
        return trace

    def traced() -> None:
        sys.settrace(trace)
        life()

    return traced


def files(folder: Path) -> list[str]:
    """Workers' files in a folder."""
    return archive.files_in(folder)
