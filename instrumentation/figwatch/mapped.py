"""Cells whose slots lie in files of one folder: every worker writes its own, and whoever is asked reads them all.

The folder is the memory of the counters. As long as it is kept they go on, over restarts of workers and of the whole
service; an emptied folder begins at zero.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from figwatch.archive import NO_ARCHIVE, Sums, edition_of, files_in, fold, mend, read_archive
from figwatch.cellfile import CellFile, OwnFile, Shape, shape_of
from figwatch.cells import UNCAPPED, Definition, Memory, Reading, Slots, read_slots
from figwatch.errors import DefinitionError

_LOOKS: Final = 100
"""Looks at a folder in which somebody folds meanwhile; each fold swallows somebody who died, so two are plenty."""

_logger = logging.getLogger("figwatch")


class Mapped:
    """Slots in a file that this process writes and all workers read."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        """Joins the workers of a folder, which is made if need be. `clock` gives seconds since the epoch.

        Raises DefinitionError where the folder cannot be used.
        """
        self._folder = folder
        self._clock = clock
        try:
            folder.mkdir(parents=True, exist_ok=True)
            mend(folder)
            self._begin(OwnFile(folder))
            fold(folder, but=self._own_name())
        except (OSError, ValueError) as error:
            raise DefinitionError(
                f"workers cannot share their counts in {folder} ({error}): PROMETHEUS_MULTIPROC_DIR must name a folder "
                "on a local disk that they can write"
            ) from error

    def _begin(self, own: OwnFile | None) -> None:
        self._own = own
        self._definitions: dict[Shape, Definition] = {}
        self._slots: dict[Shape, dict[tuple[str, ...], Slots]] = {}
        self._spare = Memory(self._clock)
        self._others: dict[str, CellFile] = {}
        self._archive = NO_ARCHIVE
        self._lock = threading.RLock()
        self._looking = threading.RLock()
        self._told: set[str] = set()

    def allot(self, definition: Definition, labels: tuple[str, ...]) -> Slots:
        """Slots of one series; without room in the file they are in memory, and only this worker shows them."""
        shape = shape_of(definition)
        with self._lock:
            self._definitions.setdefault(shape, definition)
            series = self._slots.setdefault(shape, {})
            if labels not in series:
                series[labels] = self._made(definition, labels)
            return series[labels]

    def full(self, definition: Definition, labels: tuple[str, ...], cap: int) -> bool:
        """Whether these labels would be one series more than `cap`, counting what every worker has and had."""
        if cap >= UNCAPPED:
            return False
        known = self._label_sets(shape_of(definition))
        return labels not in known and len(known) >= cap

    def readings(self, definition: Definition) -> list[Reading]:
        """Every series that this process counted."""
        with self._lock:
            series = list(self._slots.get(shape_of(definition), {}).items())
        return [read_slots(labels, slots) for labels, slots in series]

    def snapshot(self, declared: Sequence[Definition]) -> list[tuple[Definition, list[Reading]]]:
        """What all workers counted, living and dead: families declared here, then those only others declared.

        Raises OSError or ValueError where the folder cannot be read: half an answer would be a wrong one.
        """
        with self._looking:
            self._fold()
            sums = self._look()
        names = {definition.name for definition in declared}
        foreign = _first([known for known in sums.definitions.values() if known.name not in names])
        shown = [(definition, shape_of(definition)) for definition in (*declared, *foreign)]
        self._tell_of_conflict(set(sums.definitions), {shape for _, shape in shown})
        return [(definition, sums.readings(shape)) for definition, shape in shown]

    def forked(self) -> None:
        """In a forked child: it writes a file of its own; the parent's is the parent's."""
        if self._own is not None:
            self._own.release()
        try:
            self._begin(OwnFile(self._folder))
        except OSError as error:
            self._begin(None)
            self._tell("fork", "a forked worker cannot share its counts in %s: %s", self._folder, error)
        self._fold()

    def _fold(self) -> None:
        try:
            fold(self._folder, but=self._own_name())
        except (OSError, ValueError) as error:  # a full disk: the dead can be read from their own files as well
            self._tell("fold", "counts of workers that ended stay in their files in %s: %s", self._folder, error)

    def _made(self, definition: Definition, labels: tuple[str, ...]) -> Slots:
        created = self._clock()
        if self._own is not None:
            try:
                values = self._own.add(definition, labels, created)
                return Slots(counts=values.counts, sums=values.sums, lock=threading.RLock(), created=created)
            except OSError as error:
                self._tell(
                    "room", "no room in %s: new series are counted in this worker alone: %s", self._folder, error
                )
        return self._spare.allot(definition, labels)

    def _own_name(self) -> str:
        return "" if self._own is None else self._own.name

    def _look(self) -> Sums:
        """Archive, other workers and this one, added up, with nobody counted twice or left out by a fold meanwhile."""
        for _ in range(_LOOKS):
            with suppress(FileNotFoundError):
                self._discover()
                sums = Sums()
                sums.add_archive(self._archive)
                for file in self._others.values():
                    sums.add_file(file)
                if edition_of(self._folder) == self._archive.edition:
                    self._add_own(sums)
                    return sums
        raise OSError(f"{self._folder} changes faster than it can be read")

    def _discover(self) -> None:
        if edition_of(self._folder) != self._archive.edition:
            self._archive = read_archive(self._folder)
        alive = set(files_in(self._folder)) - self._archive.swallowed - {self._own_name()}
        for gone in self._others.keys() - alive:
            del self._others[gone]
        for name in alive - self._others.keys():
            self._others[name] = CellFile(self._folder / name)

    def _add_own(self, sums: Sums) -> None:
        """From the slots and not from the file: a series that found no room there belongs to the answer, too."""
        with self._lock:
            mine = [(shape, labels, slots) for shape, series in self._slots.items() for labels, slots in series.items()]
        for shape, labels, slots in mine:
            now = read_slots(labels, slots)
            sums.add(self._definitions[shape], shape, labels, now.created, list(now.counts), (now.total,))

    def _label_sets(self, shape: Shape) -> set[tuple[str, ...]]:
        """Label sets that this worker or, as far as can be read now, anybody else has counted."""
        with self._looking:
            with suppress(OSError, ValueError):
                self._discover()
                for file in self._others.values():
                    file.refresh()
            others = [file.label_sets.get(shape, ()) for file in self._others.values()]
            buried = {row.labels for row in self._archive.rows if row.shape == shape}
        return buried.union(self._slots.get(shape, ()), *others)

    def _tell_of_conflict(self, shapes: set[Shape], shown: set[Shape]) -> None:
        for shape in shapes - shown:
            self._tell(
                shape.name,
                "workers declare %s with different labels or buckets: each shows only what agrees with its own",
                shape.name,
            )

    def _tell(self, about: str, message: str, *values: object) -> None:
        """Log, once for each thing."""
        if about not in self._told:
            self._told.add(about)
            _logger.error(message, *values)


def _first(definitions: Sequence[Definition]) -> list[Definition]:
    """One definition for each name."""
    return list({definition.name: definition for definition in reversed(definitions)}.values())[::-1]
