"""The counts of workers that died, in one file, so that a folder holds no more files than there are workers.

Whoever looks folds the dead: adds their counts to the archive and removes their files. A new archive replaces the old
one in one step and names the files it has swallowed. Whoever reads leaves out the files that the archive names, so it
makes no difference where a fold was killed: before that step nothing has happened, after it nothing is missing but some
files that the next fold removes. Nobody waits: a fold that finds another one at work leaves the work to it.
"""

import json
import logging
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from figwatch.cellfile import PREFIX, SUFFIX, CellFile, Shape, definition_from, locks, shape_of
from figwatch.cells import Definition, Reading

ARCHIVE: Final = "figwatch.archive"
_DRAFT: Final = "figwatch.archive.new"
_LOCK: Final = "figwatch.lock"
_FORMAT: Final = "figwatch-archive-1"

_logger = logging.getLogger("figwatch")


class Totals:
    """One series, summed over workers. The sum is kept as floats whose exact sum it is, so that no order of adding,
    and no folding, ever makes it smaller."""

    __slots__ = ("counts", "created", "sums")

    def __init__(self, created: float, counts: list[int], sums: list[float]) -> None:
        """`created` is in seconds since the epoch, the earliest of all."""
        self.created = created
        self.counts = counts
        self.sums = sums


class Sums:
    """Series of all workers, added up."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.families: dict[Shape, dict[tuple[str, ...], Totals]] = {}
        self.definitions: dict[Shape, Definition] = {}

    def add(
        self,
        definition: Definition,
        shape: Shape,
        labels: tuple[str, ...],
        created: float,
        counts: list[int],
        sums: Iterable[float],
    ) -> None:
        """Add one worker's numbers of one series; `counts` may be kept."""
        series = self.families.get(shape)
        if series is None:
            series = self.families[shape] = {}
            self.definitions[shape] = definition
        known = series.get(labels)
        if known is None:
            series[labels] = Totals(created, counts, list(sums))
            return
        known.counts = [one + other for one, other in zip(known.counts, counts, strict=True)]
        known.sums.extend(sums)
        known.created = min(known.created, created)

    def add_file(self, file: CellFile) -> None:
        """Add everything that stands in a file now."""
        file.refresh()
        for entry in file.entries:
            total, counts = file.read(entry)
            self.add(entry.definition, entry.shape, entry.labels, entry.created, counts, (total,))

    def add_archive(self, archive: "Archive") -> None:
        """Add the dead."""
        for row in archive.rows:
            self.add(row.definition, row.shape, row.labels, row.created, row.counts, row.sums)

    def readings(self, shape: Shape) -> list[Reading]:
        """Every series of a family."""
        return [
            Reading(labels=labels, counts=tuple(known.counts), total=math.fsum(known.sums), created=known.created)
            for labels, known in self.families.get(shape, {}).items()
        ]


class Row(NamedTuple):
    """One series of the archive."""

    definition: Definition
    shape: Shape
    labels: tuple[str, ...]
    created: float
    counts: list[int]
    sums: list[float]


class Archive(NamedTuple):
    """An archive as it was read."""

    edition: str  # different for every archive ever written; empty where there is none yet
    swallowed: frozenset[str] = frozenset()  # names of files that are in here, and may not be removed yet
    rows: tuple[Row, ...] = ()


NO_ARCHIVE: Final = Archive(edition="")


def edition_of(folder: Path) -> str:
    """Which archive is there now."""
    try:
        with (folder / ARCHIVE).open("rb") as file:
            return file.readline(200).decode("ascii", "replace").strip().removeprefix(_FORMAT).strip()
    except FileNotFoundError:
        return ""


def read_archive(folder: Path) -> Archive:
    """The archive as it is now; raises ValueError if it is damaged."""
    try:
        text = (folder / ARCHIVE).read_text("ascii")
    except FileNotFoundError:
        return NO_ARCHIVE
    head, _, body = text.partition("\n")
    if not head.startswith(_FORMAT):
        raise ValueError(f"{folder / ARCHIVE} is no archive of this version: empty the folder while nothing runs")
    content = json.loads(body)
    return Archive(
        edition=head.removeprefix(_FORMAT).strip(),
        swallowed=frozenset(content["swallowed"]),
        rows=tuple(row for family in content["families"] for row in _rows(family)),
    )


def _rows(family: dict[str, Any]) -> Iterator[Row]:
    definition = definition_from(family["definition"])
    shape = shape_of(definition)
    for labels, created, counts, sums in family["series"]:
        yield Row(definition, shape, tuple(labels), created, counts, sums)


def files_in(folder: Path) -> list[str]:
    """Names of all workers' files."""
    return [name for name in os.listdir(folder) if name.startswith(PREFIX) and name.endswith(SUFFIX)]


def fold(folder: Path, *, but: str = "") -> None:
    """Put the counts of dead workers into the archive, and remove their files; `but` is the file of whoever asks.

    Raises OSError where the archive cannot be written; nothing is lost then, and the files stay.
    """
    held: dict[str, int] = {}
    with _alone(folder) as alone:
        try:
            for name in files_in(folder) if alone else ():
                if name != but and (file := _lock_dead(folder / name)) is not None:
                    held[name] = file
            _swallow(folder, list(held))
        finally:
            for file in held.values():
                os.close(file)


def mend(folder: Path) -> None:
    """Put aside an archive that cannot be read (a machine that lost power), so that counting can begin anew."""
    with _alone(folder) as alone:
        try:
            read_archive(folder)
        except ValueError as error:
            if alone:
                _put_aside(folder / ARCHIVE, error)


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Whether nobody else changes the archive; if so, nobody will while the block runs."""
    guard = os.open(folder / _LOCK, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        yield locks(guard)
    finally:
        os.close(guard)


def _put_aside(path: Path, error: ValueError) -> None:
    _logger.error("the counts in %s are lost, it is kept as %s.damaged: %s", path, path.name, error)
    os.replace(path, path.with_name(f"{path.name}.damaged"))


def _lock_dead(path: Path) -> int | None:
    """The file, open and locked, if nobody alive holds it."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    if locks(file):
        return file
    os.close(file)
    return None


def _swallow(folder: Path, dead: Sequence[str]) -> None:
    if not dead:
        return
    archive = read_archive(folder)
    fresh = [name for name in dead if name not in archive.swallowed]
    if fresh:
        sums = Sums()
        sums.add_archive(archive)
        for name in fresh:
            try:
                sums.add_file(CellFile(folder / name))
            except ValueError as error:
                _put_aside(folder / name, error)
        # Files that were swallowed before and could not be removed stay named until they are gone.
        _write(folder, sums, [*fresh, *archive.swallowed.intersection(dead)])
    for name in dead:
        with suppress(FileNotFoundError):
            os.unlink(folder / name)


def _write(folder: Path, sums: Sums, swallowed: list[str]) -> None:
    content = {
        "swallowed": swallowed,
        "families": [
            {
                "definition": sums.definitions[shape]._asdict(),
                "series": [
                    [labels, known.created, known.counts, partials(known.sums)] for labels, known in series.items()
                ],
            }
            for shape, series in sums.families.items()
        ],
    }
    draft = folder / _DRAFT
    draft.unlink(missing_ok=True)  # of a fold that was killed, maybe under another user
    with draft.open("x", encoding="ascii") as file:
        file.write(f"{_FORMAT} {os.urandom(16).hex()}\n{json.dumps(content, separators=(',', ':'))}")
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, folder / ARCHIVE)


def partials(values: Iterable[float]) -> list[float]:
    """Few floats with exactly the sum of `values` (Shewchuk's expansion, as in the recipe that `math.fsum` follows)."""
    parts: list[float] = []
    for value in values:
        kept, carry = [], value
        for part in parts:
            large, small = (carry, part) if abs(carry) >= abs(part) else (part, carry)
            carry = large + small
            if rest := small - (carry - large):
                kept.append(rest)
        parts = [*kept, carry]
    return parts
