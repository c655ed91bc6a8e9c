"""Lines and bands of a chart as the data of an SVG path, in as few bytes as it takes. None is a gap."""

from collections.abc import Sequence
from itertools import groupby, pairwise

Place = tuple[int, int | None]
"""Across and down; None where there is no figure."""


def path(places: Sequence[Place]) -> str:
    """Strokes between neighbours; a point alone is a dash that can be seen."""
    runs = _runs([(x, at) for x, at in places], [at is not None for _, at in places])
    return "".join(_stroke(run) if len(run) > 1 else f"M{run[0][0] - 1} {run[0][1]}h2" for run in runs)


def band(lows: Sequence[Place], highs: Sequence[Place]) -> str:
    """Areas between two lines; one slot alone is a bar."""
    known = [at is not None for _, at in lows]
    pairs = zip(_runs(lows, known), _runs(highs, known), strict=True)
    return "".join(f"{_stroke([*upper, *reversed(lower)])}Z" for lower, upper in pairs)


def _runs(places: Sequence[Place], known: Sequence[bool]) -> list[list[tuple[int, int]]]:
    """Stretches without a gap."""
    found: list[list[tuple[int, int]]] = []
    for seen, group in groupby(zip(known, places, strict=True), key=lambda pair: pair[0]):
        if seen:
            found.append([(x, at) for _, (x, at) in group if at is not None])
    return found


def _stroke(points: Sequence[tuple[int, int]]) -> str:
    """A line in steps from point to point, which are shorter than places."""
    first, *_ = points
    steps = "".join(f"{_step(b[0] - a[0])}{_step(b[1] - a[1])}" for a, b in pairwise(points))
    return f"M{first[0]} {first[1]}l{steps.lstrip()}"


def _step(length: int) -> str:
    """A minus sign parts numbers as well as a space does."""
    return f"{length}" if length < 0 else f" {length}"
