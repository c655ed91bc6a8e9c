"""What exclusions set aside: pieces of time of some streams, with what every ring had counted at their edges."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Duration, Instant
from figwatch_agent.evaluate.excluded import Part, Span, time_in

Counts = NDArray[np.int64]


@dataclass(slots=True, eq=False)
class Piece:
    """What one exclusion sets aside of some streams in one stretch of time; pieces of a stream share no time."""

    exclusion: str
    after: Instant
    until: Instant | None  # None while it goes on
    streams: Counts
    parts: dict[str, Part]  # by ring; those that hold nothing of that time any more are left out


class Aside:
    """All pieces that the rings still hold something of."""

    def __init__(self, streams: int) -> None:
        self._streams = streams
        self.pieces: list[Piece] = []
        self.version = 0  # counts changes
        self._parts: dict[str, list[Part]] = {}

    def put(self, piece: Piece) -> None:
        """One more."""
        self.pieces.append(piece)
        self.changed()

    def close(self, piece: Piece, until: Instant, counted: dict[str, Counts]) -> None:
        """A piece ended; ``counted``: what every ring had counted by then."""
        piece.until = until
        for name, part in piece.parts.items():
            part.close(until, counted[name])
        self.changed()

    def forget(self, before: Instant) -> None:
        """Let go of pieces that ended before anything that a window reaches."""
        kept = [piece for piece in self.pieces if piece.until is None or piece.until > before]
        if len(kept) < len(self.pieces):
            self.pieces = kept
            self.changed()

    def amend(self, name: str, at: Instant, increments: Counts) -> None:
        """Events of a past instant became known to a ring."""
        for part in self.parts(name):
            part.amend(at, increments)
        self.version += bool(self.pieces)

    def changed(self) -> None:
        """Pieces came or went."""
        self.version += 1
        self._parts.clear()

    def parts(self, name: str) -> list[Part]:
        """What is set aside in one ring."""
        if name not in self._parts:
            self._parts[name] = [piece.parts[name] for piece in self.pieces if name in piece.parts]
        return self._parts[name]

    def open(self) -> Iterator[Piece]:
        """Pieces that go on."""
        return (piece for piece in self.pieces if piece.until is None)

    def taken(self, stream: int, now: Instant) -> Iterator[Span]:
        """Times of one stream that are set aside already."""
        for piece in self.pieces:
            if stream in piece.streams:
                yield piece.after, now if piece.until is None else piece.until

    def owner(self, stream: int, at: Instant) -> str:
        """The exclusion that sets a past instant of a stream aside; "" where none does."""
        for piece in self.pieces:
            if piece.after < at and (piece.until is None or at <= piece.until) and stream in piece.streams:
                return piece.exclusion
        return ""

    def time(self, since: Instant, now: Instant) -> Counts:
        """Milliseconds of (since, now] that are set aside, by stream."""
        found = np.zeros(self._streams, dtype=np.int64)
        for piece in self.pieces:
            lasted: Duration = time_in(piece.after, piece.until, since, now)
            if lasted:
                found[piece.streams] += lasted
        return found


def later_than(parts: Iterable[Part], column: int, count: int, current: Counts) -> int:
    """Events of one column that are set aside and were counted after ``count`` of them had been.

    Counts only grow, so that a count says as well as an instant what came before and what after.
    """
    found = 0
    for part in parts:
        for place in np.flatnonzero(part.columns == column):
            end = int(current[column]) if part.until is None else int(part.end[place])
            found += max(end - max(int(part.start[place]), count), 0)
    return found
