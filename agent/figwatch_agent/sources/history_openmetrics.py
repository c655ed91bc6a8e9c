"""OpenMetrics text with timestamps, as `promtool tsdb create-blocks-from openmetrics` takes it, read into columns.

A history repeats the raw text of a series once per sample. So each line is cut at its last two spaces, what stands
before them is looked up in a dict, and a series is taken apart once. Lines that cannot be cut so (exemplars, tabs,
labels never seen) are read with care, one by one. Of series that nobody wants nothing is kept but their text.
"""

import gc
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Instant
from figwatch_agent.model.batch import Series
from figwatch_agent.model.past import History, Track
from figwatch_agent.sources.decimals import NoNumber, numbers_at, numbers_of
from figwatch_agent.sources.history import LARGEST, HistoryInvalid, TwoValues, assembled, track
from figwatch_agent.sources.history_lines import Lines, Places, Progress, blocks, end_of, unpacked
from figwatch_agent.sources.sample_line import DATED, metric_name, parse_series

_MOST_UNWANTED: Final = 1_000_000
_LATEST: Final = 1e11  # seconds: a later date is milliseconds by mistake, or nonsense
_SKIPPED: Final = -1
_SHOWN: Final = 5  # samples that a notice names

Wanted = Callable[[Series], bool]


def read_history(
    paths: tuple[Path, ...], names: frozenset[str], wanted: Wanted, progress: Progress = lambda read: None
) -> History:
    """The wanted series of all files together. Raises HistoryInvalid, naming file and line, and OSError.

    ``names`` are sample names outside which nothing is looked at; ``progress`` is told bytes of the files as they are
    read.
    """
    reader = _Columns(names, wanted)
    for path in paths:
        with path.open("rb") as file, _no_collection():
            reader.read(str(path), file, progress)
    try:
        tracks = list(reader.tracks())
        return assembled(tracks, reader.notices(), others=reader.others)
    except TwoValues as two:
        places = [f"{path}:{line}" for path in paths for line in _lines_of(path, two.series, two.at)]
        raise HistoryInvalid(
            f"{', '.join(places)}: {two}: remove one of them, or give the series a label that tells them apart"
        ) from None


class _Columns:
    """What was read so far: per series its instants and values, in pieces."""

    def __init__(self, names: frozenset[str], wanted: Wanted) -> None:
        self._names = {name.encode() for name in names}
        self._wanted = wanted
        self._known: dict[bytes, int] = {}  # raw text of a series -> its place, or _SKIPPED
        self._places: dict[Series, int] = {}
        self._pieces: list[list[tuple[Places, NDArray[np.float64]]]] = []
        self._unwanted = 0
        self.others = False  # whether there are samples that nobody wants
        self._no_counts: list[str] = []
        self._no_count = 0
        self._file = ""
        self._line = 0  # lines of the file before the block

    def read(self, name: str, file: BinaryIO, progress: Progress) -> None:
        """Take one file."""
        self._file, self._line = name, 0
        ended = False
        for block in blocks(file, progress, self._broken):
            if ended and block.strip():
                raise self._broken(1, "text stands after # EOF: a history is one document")
            end = end_of(block)
            if end is not None:
                after = block[end:].partition(b"\n")[2]
                if after.strip():
                    raise self._broken(
                        block[:end].count(b"\n") + 2, "text stands after # EOF: a history is one document"
                    )
                block, ended = block[:end], True
            self._line += self._take(Lines(block))
        if not ended:
            raise self._broken(1, "the file ends without # EOF: a part of it is missing")

    def tracks(self) -> Iterator[Track]:
        """Every series, in the order of the files; pieces are let go of as they are put together."""
        for series, place in self._places.items():
            pieces, self._pieces[place] = self._pieces[place], []
            if pieces:
                at = pieces[0][0].copy() if len(pieces) == 1 else np.concatenate([piece[0] for piece in pieces])
                values = pieces[0][1].copy() if len(pieces) == 1 else np.concatenate([piece[1] for piece in pieces])
                yield track(series, at, values)

    def notices(self) -> list[str]:
        """What was left out."""
        if not self._no_count:
            return []
        more = f", and {self._no_count - _SHOWN} more" if self._no_count > _SHOWN else ""
        word = "samples are" if self._no_count > 1 else "sample is"
        return [f"{self._no_count} {word} no count, and left out: {'; '.join(self._no_counts)}{more}"]

    def _take(self, lines: Lines) -> int:
        """Take the samples of a block; how many lines it has."""
        known = list(map(self._known.get, lines.keys))
        careful: list[tuple[int, int, bytes, bytes]] = []
        if None in known:
            self._learn_missing(lines, known, careful)
        places = np.array(known, dtype=np.int32)
        kept = np.flatnonzero(places != _SKIPPED)
        if len(kept):
            cuts = lines.cuts if len(kept) == len(lines) else lines.cuts[kept]
            values = self._numbers(lines, kept, cuts[:, 1] + 1, cuts[:, 2], "a value")
            stamps = self._numbers(lines, kept, cuts[:, 2] + 1, cuts[:, 3], "a timestamp")
            self._keep(lines, kept, places[kept], values, self._instants(lines, kept, stamps))
        if careful:
            self._keep_careful(lines, careful)
        return len(lines)

    def _keep_careful(self, lines: Lines, careful: list[tuple[int, int, bytes, bytes]]) -> None:
        """Samples whose lines could not be cut at their last two blanks, in (line, place, value, timestamp)."""
        kept = np.array([index for index, *_ in careful], dtype=np.int64)
        places = np.array([place for _, place, *_ in careful], dtype=np.int32)
        columns: list[NDArray[np.float64]] = []
        for texts, what in (([one[2] for one in careful], "a value"), ([one[3] for one in careful], "a timestamp")):
            try:
                columns.append(numbers_of(texts))
            except NoNumber as none:
                raise self._no_number(lines, int(kept[none.index]), what) from None
        self._keep(lines, kept, places, columns[0], self._instants(lines, kept, columns[1]))

    def _keep(
        self,
        lines: Lines,
        kept: Places,
        places: NDArray[np.int32],
        values: NDArray[np.float64],
        at: Places,
    ) -> None:
        good = (values >= 0) & (values < LARGEST)  # false for NaN and stale markers as well
        if not good.all():
            for index in kept[~good].tolist():
                self._no_count += 1
                if len(self._no_counts) < _SHOWN:
                    self._no_counts.append(f"{self._file}:{self._line + index + 1} {_shown(lines[index])}")
            places, values, at = places[good], values[good], at[good]
        if len(places) and (places[1:] < places[:-1]).any():
            order = np.argsort(places, kind="stable")
            places, values, at = places[order], values[order], at[order]
        starts = np.concatenate([[0], np.flatnonzero(np.diff(places)) + 1]).tolist() if len(places) else []
        for start, end in zip(starts, [*starts[1:], len(places)], strict=True):
            self._pieces[places[start]].append((at[start:end], values[start:end]))

    def _numbers(self, lines: Lines, kept: Places, starts: Places, ends: Places, what: str) -> NDArray[np.float64]:
        try:
            return numbers_at(lines.text, starts, ends)
        except NoNumber as none:
            raise self._no_number(lines, int(kept[none.index]), what) from None

    def _no_number(self, lines: Lines, index: int, what: str) -> HistoryInvalid:
        return self._broken(index + 1, f"{_shown(lines[index])} has no number for {what}")

    def _instants(self, lines: Lines, kept: Places, seconds: NDArray[np.float64]) -> Places:
        wrong = ~((seconds >= 0) & (seconds < _LATEST))
        if wrong.any():
            index = int(kept[np.flatnonzero(wrong)[0]])
            hint = "timestamps are seconds since 1970, not milliseconds"
            raise self._broken(index + 1, f"{_shown(lines[index])} is from no time that can be: {hint}")
        return np.rint(seconds * 1000).astype(np.int64)

    def _learn_missing(
        self, lines: Lines, known: list[int | None], careful: list[tuple[int, int, bytes, bytes]]
    ) -> None:
        for index in [i for i, place in enumerate(known) if place is None]:
            key = lines.keys[index]
            known[index] = self._known.get(key)  # it may have been learned from a line of the same block
            if known[index] is not None:
                continue
            try:
                place, value, stamp = self._learn(lines[index], key)
            except ValueError as error:
                raise self._broken(index + 1, str(error)) from None
            known[index] = self._known.get(key, _SKIPPED)
            if place != _SKIPPED and known[index] == _SKIPPED:
                careful.append((index, place, value, stamp))

    def _learn(self, line: bytes, key: bytes) -> tuple[int, bytes, bytes]:
        """(place, value, timestamp) of a line; where ``key``, its text before the last two blanks, is the series as it
        is written, it will be known by that."""
        text = line.strip()
        if not text or text.startswith(b"#"):
            return _SKIPPED, b"", b""
        name = metric_name(text)
        if name is not None and name.encode() not in self._names:
            self.others = True
            if key and self._unwanted < _MOST_UNWANTED:
                self._unwanted += 1
                self._known[key] = _SKIPPED
            return _SKIPPED, b"", b""
        found = DATED.fullmatch(text)
        if found is None:
            raise ValueError(f"{_shown(text)} is no sample of a history: a name, labels, a value and a timestamp are")
        place = self._place(parse_series(found["key"]))
        if key == found["key"]:
            self._known[key] = place
        return place, found["value"], found["stamp"]

    def _place(self, series: Series) -> int:
        place = self._places.get(series)
        if place is None:
            if not (series.name.encode() in self._names and self._wanted(series)):
                self.others = True
                return _SKIPPED
            place = self._places[series] = len(self._pieces)
            self._pieces.append([])
        return place

    def _broken(self, line: int, what: str) -> HistoryInvalid:
        return HistoryInvalid(f"{self._file}:{self._line + line}: {what}")


@contextmanager
def _no_collection() -> Iterator[None]:
    """Millions of short lists come and go, none in a ring: looking for rings among them would double the cost."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _lines_of(path: Path, series: Series, at: Instant) -> list[int]:
    """Where a series has samples of one instant: only asked when that is once too often."""
    found = array("q")
    with path.open("rb") as file:
        for number, line in enumerate(unpacked(file), start=1):
            sample = DATED.fullmatch(line.strip()) if line.startswith(series.name.encode()) else None
            if (
                sample is not None
                and round(float(sample["stamp"]) * 1000) == at
                and parse_series(sample["key"]) == series
            ):
                found.append(number)
    return found.tolist()


def _shown(line: bytes) -> str:
    return repr(line[:120].decode("utf-8", "replace"))
