"""Which columns of every ring an exclusion is about, and what they had counted at its edges."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Instant
from figwatch_agent.engine.aside import Piece
from figwatch_agent.engine.ledger import INTERVAL, aside_cells
from figwatch_agent.engine.less import oldest
from figwatch_agent.engine.mapping import BOUNDS, BUCKET_SIDES
from figwatch_agent.engine.measuring import COVERED, Rings
from figwatch_agent.evaluate.excluded import Part
from figwatch_agent.model.outcome import LedgerAside

Counts = NDArray[np.int64]


def edges(rings: Rings) -> dict[str, Counts]:
    """What all rings have counted so far."""
    return {name: rings.current(name).copy() for name in (*rings.rings, COVERED)}


def settle_edges(rings: Rings, part: Part) -> None:
    """Take the edges of a live part from a ring that counts the time between two ticks in its slots."""
    after = rings.by("uptime", part.after)
    if after is not None:
        part.start = after[part.columns]
    until = rings.by("uptime", part.until) if part.until is not None else None
    if until is not None:
        part.end = until[part.columns]


def past_cells(rings: Rings, piece: Piece) -> Iterator[LedgerAside]:
    """What a piece sets aside of every stream and interval of the ledger; intervals are joined at edges not kept."""
    part, many = piece.parts.get("budget"), len(piece.streams)
    if part is None or piece.until is None:
        return
    edges, counted = [part.after], [part.start]
    for edge in range(part.after - part.after % INTERVAL + INTERVAL, piece.until, INTERVAL):
        there = rings.by("budget", edge)
        if there is not None:
            edges.append(edge)
            counted.append(there[part.columns])
    edges.append(piece.until)
    counted.append(part.end)
    for place, stream in enumerate(piece.streams.tolist()):
        counts = [(int(each[many + place]), int(each[place])) for each in counted]
        yield from aside_cells(rings.catalog.streams[stream], piece.exclusion, edges, counts)


def part_of(rings: Rings, name: str, piece: Piece, routes: list[int]) -> Part | None:
    """What a piece sets aside in one ring; None where that is nothing, or nothing is kept of that time.

    The rings of budgets keep every edge of a piece. Others are coarser sooner, and set aside what surely lies within.
    """
    columns = columns_of(rings, name, piece.streams, routes)
    if not len(columns):
        return None
    known = _Known(rings.aside.parts(name), columns)
    after, start = _edge(rings, name, piece.after, known, ahead=True)
    if piece.until is None:
        return Part(after, None, columns, start[columns], np.zeros(len(columns), dtype=np.int64))
    until, end = _edge(rings, name, piece.until, known, ahead=False)
    return Part(after, until, columns, start[columns], end[columns]) if after < until else None


def columns_of(rings: Rings, name: str, streams: Counts, routes: list[int]) -> Counts:
    """Columns of a ring that count these streams, or the latency of these routes. Traffic is never set aside."""
    count, catalog = len(rings.catalog.streams), rings.catalog
    match name:
        case "budget":
            found = [streams, count + streams]
        case "covered":
            found = [streams]
        case "sides":
            found = [rings.split_columns(streams)]
        case "uptime":
            probed = [stream.index for stream in catalog.streams if stream.probed]
            places = np.flatnonzero(np.isin(probed, streams))
            found = [places, len(probed) + places]
        case "answers":
            judged = np.flatnonzero(np.isin(rings.judging, streams))
            width, whole = len(BUCKET_SIDES), len(catalog.routes) * len(BUCKET_SIDES)
            found = [part * whole + judged * width + side for part in range(2) for side in range(width)]
        case "buckets":
            width = len(BUCKET_SIDES) * (len(BOUNDS) + 1)
            found = [np.arange(route * width, (route + 1) * width) for route in routes]
        case _:
            found = []
    return np.concatenate(found).astype(np.int64) if found else np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """What other pieces remember of their edges, which the ring may not keep any more."""

    parts: list[Part]
    columns: Counts

    def at(self, instant: Instant, width: int) -> Counts | None:
        """What the columns had counted by an edge of other pieces; None where they do not know all of it."""
        found, seen = np.zeros(width, dtype=np.int64), np.zeros(width, dtype=np.bool_)
        for part in self.parts:
            for edge, counted in ((part.after, part.start), (part.until, part.end)):
                if edge == instant:
                    found[part.columns], seen[part.columns] = counted, True
        return found if seen[self.columns].all() else None


def _edge(rings: Rings, name: str, at: Instant, known: _Known, *, ahead: bool) -> tuple[Instant, Counts]:
    """The instant, or else the nearest boundary that is kept towards the inside of a piece, and its counts."""
    ring, current = rings.ring(name), rings.current(name)
    counted = rings.by(name, at)
    counted = known.at(at, len(current)) if counted is None else counted
    if counted is not None:
        return at, counted
    for level in ring.layout:
        found = -(-at // level.resolution) * level.resolution if ahead else at - at % level.resolution
        counted = rings.by(name, found) if found >= oldest(ring, level) else None
        if counted is not None:
            return found, counted
    found = oldest(ring, ring.layout[-1])
    counted = rings.by(name, found)
    return found, np.zeros_like(current) if counted is None else counted
