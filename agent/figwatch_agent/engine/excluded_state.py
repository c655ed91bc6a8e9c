"""Exclusions as a section of bytes, and back: columns by their keys, since files may change in between."""

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.engine.aside import Piece
from figwatch_agent.engine.excluding import Excluding
from figwatch_agent.engine.forms import ExclusionsState, PartState, PieceState
from figwatch_agent.engine.measuring import COVERED, Rings
from figwatch_agent.evaluate.excluded import Part

Counts = NDArray[np.int64]


def exclusions_state(excluding: Excluding) -> ExclusionsState:
    """What outlives a restart."""
    rings = excluding.rings
    keys = {name: _keys(rings, name) for name in (*rings.rings, COVERED)}
    return ExclusionsState(
        exclusions=tuple(excluding.known.values()),
        pieces=tuple(
            PieceState(
                exclusion=piece.exclusion,
                after=piece.after,
                until=piece.until,
                streams=tuple(rings.catalog.streams[stream].key for stream in piece.streams.tolist()),
                parts=tuple(_part_state(name, part, keys[name]) for name, part in piece.parts.items()),
            )
            for piece in rings.aside.pieces
        ),
    )


def restore_exclusions(excluding: Excluding, state: ExclusionsState) -> None:
    """Go on where another process stopped."""
    rings = excluding.rings
    excluding.known = {exclusion.id: exclusion for exclusion in state.exclusions}
    streams = {stream.key: stream.index for stream in rings.catalog.streams}
    names = (*rings.rings, COVERED)
    columns = {name: {key: place for place, key in enumerate(_keys(rings, name))} for name in names}
    for piece in state.pieces:
        named = [streams[key] for key in piece.streams if key in streams]
        parts = {part.ring: _part(part, columns) for part in piece.parts}
        rings.aside.pieces.append(
            Piece(
                exclusion=piece.exclusion,
                after=piece.after,
                until=piece.until,
                streams=np.array(named, dtype=np.int64),
                parts={name: part for name, part in parts.items() if part is not None},
            )
        )


def _keys(rings: Rings, name: str) -> list[str]:
    """Covered time is set aside by stream, however it is kept."""
    return [stream.key for stream in rings.catalog.streams] if name == COVERED else rings.columns(name)


def _part_state(name: str, part: Part, keys: list[str]) -> PartState:
    return PartState(
        ring=name,
        after=part.after,
        until=part.until,
        columns=tuple(keys[column] for column in part.columns.tolist()),
        start=part.start,
        end=part.end,
    )


def _part(state: PartState, columns: dict[str, dict[str, int]]) -> Part | None:
    if state.ring not in columns:
        return None
    places = columns[state.ring]
    kept = [place for place, key in enumerate(state.columns) if key in places]
    there = np.array([places[state.columns[place]] for place in kept], dtype=np.int64)
    return Part(state.after, state.until, there, state.start[kept], state.end[kept])


def versions(excluding: Excluding) -> tuple[int, int]:
    """Changes whenever the section has to be written anew."""
    return excluding.version, excluding.rings.aside.version
