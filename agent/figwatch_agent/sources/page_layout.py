"""What stands on which line of a page, worked out once and used while the page keeps its lines."""

from dataclasses import dataclass
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.model.batch import EMPTY_TABLE, Series, SeriesTable

_SUFFIXES = ("_total", "_count", "_sum", "_bucket")
_FAMILY_SUFFIXES = (*_SUFFIXES, "_created", "_info", "_gcount", "_gsum")
_MILLISECONDS = 1_000.0
_LATEST = 1e11  # seconds; a later date is milliseconds by mistake, or nonsense


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Page:
    """The wanted series of a page, in its order."""

    table: SeriesTable
    values: NDArray[np.float64]  # one per series of the table, finite and not negative
    created: NDArray[np.int64]  # one per series, in milliseconds since the epoch; 0 where the page does not say
    left_out: int  # wanted samples whose value is NaN, infinite or negative, and so is no count


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entry:
    """What a line is. There is one Entry per series, so lists of them compare by identity."""

    declares: str | None = None  # family of a HELP, TYPE or UNIT line
    sample: str | None = None  # metric name of a sample line
    series: Series | None = None  # of a sample line that is needed
    kept: bool = False  # belongs in the table
    created: bool = False  # its value is a created-timestamp, in seconds


class Layout:
    """The lines of a page as entries, and from them where the values of its series stand."""

    def __init__(self, entries: list[Entry], previous: "Layout | None" = None) -> None:
        self.entries = entries
        self.kept = bytes(entry.kept for entry in entries)  # one byte a line
        self.dated = bytes(entry.created for entry in entries)
        self.repeated = _repeated(entries)
        series = tuple(entry.series for entry in entries if entry.kept and entry.series is not None)
        self._table = _same_or_new(series, _families(entries), previous)
        self._birth = _births(series, entries)
        self._mask = b""  # which series of the table had counts, where not all had
        self._reduced = EMPTY_TABLE

    @property
    def table(self) -> SeriesTable:
        """Every series of the page that is kept."""
        return self._table

    def read(self, kept: list[bytes], dates: list[bytes]) -> Page:
        """The page whose lines marked ``kept`` and ``dated`` have these values.

        Raises ValueError where one is no number.
        """
        values = _numbers(kept)
        created = self._created(_numbers(dates))
        good = np.isfinite(values) & (values >= 0)
        if bool(good.all()):
            return Page(table=self._table, values=values, created=created, left_out=0)
        mask = good.tobytes()
        if mask != self._mask:
            self._mask = mask
            self._reduced = SeriesTable(tuple(compress(self._table.series, mask)), self._table.families)
        left_out = len(values) - int(good.sum())
        return Page(table=self._reduced, values=values[good], created=created[good], left_out=left_out)

    def _created(self, seconds: NDArray[np.float64]) -> NDArray[np.int64]:
        usable = (seconds > 0) & (seconds < _LATEST)
        milliseconds = np.zeros(len(seconds) + 1, dtype=np.int64)  # the last stands for "not said"
        milliseconds[:-1][usable] = np.rint(seconds[usable] * _MILLISECONDS).astype(np.int64)
        return milliseconds[self._birth]


def _numbers(texts: list[bytes]) -> NDArray[np.float64]:
    together = b"".join(texts)
    if b"_" in together or b"\n" in together:  # float() would read 1_000 as a thousand, and over the end of a line
        raise ValueError("underscores and line ends are part of no number")
    return np.fromiter(map(float, texts), np.float64, len(texts))


def _same_or_new(series: tuple[Series, ...], families: frozenset[str], previous: Layout | None) -> SeriesTable:
    if previous is not None and previous.table.series == series and previous.table.families == families:
        return previous.table
    return SeriesTable(series, families)


def _repeated(entries: list[Entry]) -> tuple[int, Series] | None:
    seen: set[int] = set()
    for number, entry in enumerate(entries, start=1):
        if entry.series is not None:
            if id(entry) in seen:
                return number, entry.series
            seen.add(id(entry))
    return None


def _families(entries: list[Entry]) -> frozenset[str]:
    declared = {entry.declares for entry in entries if entry.declares is not None}
    undeclared = {entry.sample for entry in entries if entry.sample is not None} - declared
    return frozenset(declared | {name for name in undeclared if not _belongs(name, declared)})


def _belongs(name: str, declared: set[str]) -> bool:
    return any(name.endswith(suffix) and name.removesuffix(suffix) in declared for suffix in _FAMILY_SUFFIXES)


def _births(series: tuple[Series, ...], entries: list[Entry]) -> NDArray[np.intp]:
    """For each series the index of its created-timestamp among the page's, or -1."""
    dated = [entry.series for entry in entries if entry.created and entry.series is not None]
    if not dated:
        return np.full(len(series), -1, dtype=np.intp)
    where = {(one.name.removesuffix("_created"), one.labels): index for index, one in enumerate(dated)}
    return np.array([where.get(_origin(one), -1) for one in series], dtype=np.intp)


def _origin(series: Series) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Name and labels under which the created-timestamp of a series stands."""
    base, _, suffix = series.name.rpartition("_")
    if "_" + suffix not in _SUFFIXES:
        return "", ()
    if suffix == "bucket":
        return base, tuple(pair for pair in series.labels if pair[0] != "le")
    return base, series.labels
