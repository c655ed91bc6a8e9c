"""What ``run --record`` keeps: every tick's Inputs and Outcome, so that it can be replayed byte for byte.

A folder holds one file per run, named by its first tick. A file holds one JSON object a line, of three kinds: the state
that the run began with, where there was one; a table of series, written once under its digest; and a tick, whose
batches name their tables by digest. Every line ends with the SHA-256 of what stands before it on the line.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Final

from figwatch_agent.durations import Instant
from figwatch_agent.errors import FigwatchError
from figwatch_agent.model.batch import EMPTY_TABLE, SeriesTable
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.outcome import Outcome, Saved
from figwatch_agent.model.wire import decode, encode, plain

_SEAL: Final = ',"sha256":"'
_SEALED: Final = len(_SEAL) + 64 + len('"}')
_EMPTY_DIGEST: Final = sha256(encode(EMPTY_TABLE).encode()).hexdigest()


class RecordingDamaged(FigwatchError):
    """A recording cannot be read beyond this place; what comes before it can still be replayed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTick:
    """One tick of a recording."""

    inputs: Inputs
    now: Instant
    outcome: str  # canonical JSON, as it was encoded then
    first: bool = False  # of its run: the engine began here, with `saved`
    saved: Saved | None = None  # None: with no state


class Recording:
    """Writes one run. A disk that is full ends the recording, never the agent: see ``fault``."""

    def __init__(self, folder: Path, saved: Saved | None = None) -> None:
        """``saved`` is the state that the run begins with; None where it begins with none."""
        self._folder = folder
        self._saved = saved
        self._file: BinaryIO | None = None
        self._written = {_EMPTY_DIGEST}
        self._digests: dict[int, tuple[SeriesTable, str]] = {}  # by identity, of the tables of the last tick
        self.fault = ""  # for people: why nothing is recorded any more

    def record(self, inputs: object, now: Instant, outcome: Outcome) -> None:
        """One tick; it has left this process when this returns."""
        if not isinstance(inputs, Inputs):
            raise TypeError(f"Inputs are recorded, not {type(inputs).__name__}")
        if self.fault:
            return
        try:
            if self._file is None:
                self._file = _create(self._folder, now)
                self._begin(self._file)
            self._write(self._file, inputs, now, outcome)
            self._file.flush()
        except OSError as error:
            self.fault = f"the recording in {self._folder} ended before {now}: {error}"
            self.close()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            with suppress(OSError):  # what a full disk did not take is lost, and `fault` says so
                self._file.close()
            self._file = None

    def _begin(self, file: BinaryIO) -> None:
        saved, self._saved = self._saved, None
        if saved is not None:
            file.write(_line(f'{{"saved":{encode(saved)}'))

    def _write(self, file: BinaryIO, inputs: Inputs, now: Instant, outcome: Outcome) -> None:
        used: dict[int, tuple[SeriesTable, str]] = {}
        for batch in inputs.batches:
            used[id(batch.table)] = self._named(file, batch.table)
        # Tables are long and nearly always the same, so the tick is written without them.
        bare = replace(inputs, batches=tuple(replace(batch, table=EMPTY_TABLE) for batch in inputs.batches))
        body = plain(bare)
        for written, batch in zip(body["batches"], inputs.batches, strict=True):
            written["table"] = used[id(batch.table)][1]
        self._digests = used
        file.write(_line(f'{{"now":{now},"inputs":{_json(body)},"outcome":{encode(outcome)}'))

    def _named(self, file: BinaryIO, table: SeriesTable) -> tuple[SeriesTable, str]:
        known = self._digests.get(id(table))
        if known is not None:
            return known
        text = encode(table)
        digest = sha256(_bytes(text)).hexdigest()
        if digest not in self._written:
            file.write(_line(f'{{"digest":"{digest}","table":{text}'))
            self._written.add(digest)
        return table, digest


class RecordedRuns:
    """Reads the runs of a folder, oldest first. Tables that were one object are one object again."""

    def __init__(self, folder: Path) -> None:
        """Raises RecordingDamaged where the folder holds no recording."""
        self._files = sorted(folder.glob("run-*.jsonl"))
        if not self._files:
            raise RecordingDamaged(f"{folder} holds no recording: name a folder that `figwatch run --record` wrote to")
        self.notices: list[str] = []  # for people: runs that ended in the middle of a line

    def __iter__(self) -> Iterator[RecordedTick]:
        self.notices.clear()
        for file in self._files:
            yield from self._ticks(file)

    def _ticks(self, path: Path) -> Iterator[RecordedTick]:
        run = _Run()
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    self.notices.append(f"{path}:{number}: the last tick was cut off, as by a kill; it is left out")
                    return
                yield from _read(line, run, f"{path}:{number}")


def read_recording(folder: Path) -> Iterator[tuple[Inputs, Instant, str]]:
    """Inputs, instant and encoded Outcome of every tick, in order. Raises RecordingDamaged."""
    for tick in RecordedRuns(folder):
        yield tick.inputs, tick.now, tick.outcome


def _create(folder: Path, now: Instant) -> BinaryIO:
    folder.mkdir(parents=True, exist_ok=True)
    number = 0
    while True:
        try:
            return (folder / f"run-{now:015d}-{number:03d}.jsonl").open("xb")
        except FileExistsError:
            number += 1


def _line(opened: str) -> bytes:
    return _bytes(f'{opened}{_SEAL}{sha256(_bytes(opened)).hexdigest()}"}}\n')


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # JSON may carry half a character, and a replay needs the same half


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


@dataclass(slots=True)
class _Run:
    """What the lines of a run said so far."""

    tables: dict[str, SeriesTable] = field(default_factory=lambda: {_EMPTY_DIGEST: EMPTY_TABLE})
    keys: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)  # of counted streams, one object each
    saved: Saved | None = None
    first: bool = True


def _read(line: bytes, run: _Run, where: str) -> Iterator[RecordedTick]:
    text = line[:-1].decode("utf-8", "surrogatepass") if _is_whole(line) else ""
    if not text:
        raise RecordingDamaged(f"{where}: the line is damaged; restore the file, or replay what comes before it")
    body: dict[str, Any] = json.loads(text)
    if "saved" in body:
        run.saved = decode(Saved, _json(body["saved"]))
    elif "digest" in body:
        run.tables[body["digest"]] = decode(SeriesTable, _json(body["table"]))
    else:
        inputs = _inputs(body["inputs"], run, where)
        outcome = _json(body["outcome"])
        yield RecordedTick(inputs=inputs, now=body["now"], outcome=outcome, first=run.first, saved=run.saved)
        run.first, run.saved = False, None


def _is_whole(line: bytes) -> bool:
    opened, seal = line[: -_SEALED - 1], line[-_SEALED - 1 :]
    return seal == f'{_SEAL}{sha256(opened).hexdigest()}"}}\n'.encode()


def _inputs(body: Mapping[str, Any], run: _Run, where: str) -> Inputs:
    tables, digests = run.tables, [batch["table"] for batch in body["batches"]]
    missing = [digest for digest in digests if digest not in tables]
    if missing:
        raise RecordingDamaged(f"{where}: the table {missing[0]} is not in the file; lines before this one are missing")
    bare = [{**batch, "table": plain(EMPTY_TABLE)} for batch in body["batches"]]
    inputs = decode(Inputs, _json({**body, "batches": bare}))
    batches = tuple(replace(one, table=tables[digest]) for one, digest in zip(inputs.batches, digests, strict=True))
    counted = tuple(replace(one, keys=run.keys.setdefault(one.keys, one.keys)) for one in inputs.counted)
    return replace(inputs, batches=batches, counted=counted)
