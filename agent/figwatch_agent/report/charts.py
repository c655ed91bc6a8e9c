"""Charts as inline SVG, drawn on the server: they need neither script nor style, and say nothing by colour alone.

A stylesheet may colour what it finds by class (service, legacy, unknown, bad, budget, threshold, marker, grid); without
one, everything is drawn in the colour of the text, told apart by its stroke, and named in words. What was not measured
is hatched and labelled, never drawn as zero. Screen readers get a title and a description with the figures.
Coordinates are whole numbers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import Final
from xml.sax.saxutils import escape

from figwatch_agent.durations import Duration, Instant, format_seconds
from figwatch_agent.model.history import Axis
from figwatch_agent.report.scale import Scale, Unit, clock_time, figure, scale, times
from figwatch_agent.report.strokes import band, path
from figwatch_agent.report.words import visible

Value = Fraction | int | None
"""A figure, exact; None where nothing was measured."""

WIDTH: Final = 640
HEIGHT: Final = 200
LEFT, RIGHT, TOP, BOTTOM = 52, 628, 22, 170
"""The plot inside of the chart; the rest holds the labels."""

MOST_POINTS: Final = 120
"""Of one line; of more, neighbours are joined and the worst of them is shown."""

MOST_MARKERS: Final = 8
LONGEST_LABEL: Final = 24
MOST_OVERSPENT: Final = 4
"""Budgets beyond which a whole one is too small to be seen."""

LABEL_HEIGHT: Final = 18
"""Of the largest letters that the stylesheet gives a label."""

STROKES: Final[dict[str, str]] = {
    "service": 'stroke-width="2"',
    "legacy": 'stroke-width="2" stroke-dasharray="6 3"',
    "unknown": 'stroke-width="1" stroke-dasharray="1 3"',
    "bad": 'stroke-width="2"',
    "budget": 'stroke-width="2"',
    "threshold": 'stroke-width="1" stroke-dasharray="3 3"',
    "marker": 'stroke-width="1" stroke-dasharray="8 2 2 2"',
}
"""How a line of each class is drawn; two lines of one chart never look alike without colour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line. ``highs`` make it a band from ``values`` up to them; an open end is None where a value is given."""

    name: str  # in words, for the legend
    css: str  # a key of STROKES
    values: Sequence[Value]
    highs: Sequence[Value] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A dashed line across."""

    value: Fraction
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """Something that happened: a deployment, a rollback, a stage of an incident, a restart."""

    at: Instant
    kind: str  # deployment | rollback | incident | restart
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A stretch of a time line; without an end it goes on."""

    name: str
    start: Instant
    end: Instant | None
    css: str = "bad"


def sparkline(name: str, title: str, values: Sequence[Value]) -> str:
    """A ratio over time in a line of text: 0 at the bottom, 1 at the top. ``name`` is unique on its page."""
    points = _joined(values, 40)
    known = [value for value in points if value is not None]
    last = figure(Fraction(known[-1]), "ratio") if known else "not measured"
    ratios = Scale(low=Fraction(0), high=Fraction(1), ticks=(), unit="ratio")
    step = max(96 // max(len(points) - 1, 1), 1)
    places = [
        (place * step, None if v is None else 22 - ratios.place(Fraction(v), 20)) for place, v in enumerate(points)
    ]
    shape = f'<path d="{path(places)}" stroke-width="2"/>' if known else '<path d="M0 12H96" stroke-dasharray="1 3"/>'
    return (
        f'<svg class="spark" role="img" viewBox="0 0 96 24" aria-labelledby="{_id(name)}">'
        f'<title id="{_id(name)}">{_said(title, 60)}: {last}</title>'
        f'<g class="legacy" fill="none" stroke="currentColor" stroke-linecap="round">{shape}</g></svg>'
    )


def lines(
    name: str,
    title: str,
    axis: Axis,
    drawn: Sequence[Line],
    unit: Unit,
    *,
    thresholds: Sequence[Threshold] = (),
    markers: Sequence[Marker] = (),
) -> str:
    """Lines on one pair of axes, of the newest values, one a slot. ``name`` is unique on its page."""
    merged = [_merged(line, axis.slots) for line in drawn]
    values = [Fraction(v) for line in merged for v in (*line.values, *(line.highs or ())) if v is not None]
    fitting = [each for each in thresholds if not values or each.value <= 4 * max([*values, each.value / 4])]
    y = scale([*values, *(each.value for each in fitting)], unit)
    shown = [marker for marker in markers if axis.start <= marker.at <= axis.end][-MOST_MARKERS:]
    parts = [
        *_grid(y),
        *_hours(axis),
        _gaps(name, axis, merged),
        *(_threshold(each, y) for each in fitting),
        *(_drawn(line, y) for line in merged),
        *(_marker(place, group, axis) for place, group in enumerate(_groups(shown, axis))),
        _legend(merged),
    ]
    return _svg(name, title, _described(merged, axis, y, thresholds, markers, len(shown)), "".join(parts))


def burn_down(name: str, title: str, axis: Axis, left: Sequence[Value], *, markers: Sequence[Marker] = ()) -> str:
    """The share of an error budget that is left, slot by slot; below zero it is overspent."""
    spent = Threshold(value=Fraction(0), label="budget spent")
    whole = Threshold(value=Fraction(1), label="whole budget")
    line = Line(name="budget left", css="budget", values=left)
    deep = any(each is not None and each < -MOST_OVERSPENT for each in left)
    thresholds = (spent,) if deep else (spent, whole)  # where both would stand on one line
    return lines(name, title, axis, (line,), "ratio", thresholds=thresholds, markers=markers)


def timeline(name: str, title: str, phases: Sequence[Phase], now: Instant) -> str:
    """Phases below each other on one axis of time, each with its name and length. ``now`` ends open ones."""
    rows = phases[:12]
    start = min((phase.start for phase in rows), default=now)
    end = max([now if phase.end is None else phase.end for phase in rows] or [now])
    length = max(end - start, 1)
    height, parts, said = 26 + 22 * len(rows), [], []
    for row, phase in enumerate(rows):
        stop = now if phase.end is None else phase.end
        lasted = max(stop - phase.start, 0)
        words = f"{format_seconds(lasted)}{' so far' if phase.end is None else ''}"
        x, width = LEFT + 80 + (phase.start - start) * 360 // length, max(lasted * 360 // length, 2)
        top = 4 + 22 * row
        dash = ' stroke-dasharray="4 3"' if phase.end is None else ""
        parts.append(
            f'<text x="0" y="{top + 13}">{_said(phase.name, 20)}</text>'
            f'<rect class="{_word(phase.css)}" x="{x}" y="{top}" width="{width}" height="16" fill="currentColor" '
            f'fill-opacity=".35" stroke="currentColor"{dash}/>'
            f'<text x="{min(x + width + 4, 540)}" y="{top + 13}">{words}</text>'
        )
        said.append(f"{_said(phase.name, 40)}: from {clock_time(phase.start, seconds=True)}, {words}")
    parts += [
        f'<text x="{LEFT + 80}" y="{height - 6}">{clock_time(start, seconds=True)}</text>'
        f'<text x="{LEFT + 440}" y="{height - 6}" text-anchor="end">{clock_time(end, seconds=True)} UTC</text>'
    ]
    return _svg(name, title, "; ".join(said) or "nothing happened", "".join(parts), height)


def _svg(name: str, title: str, description: str, body: str, height: int = HEIGHT) -> str:
    key = _id(name)
    return (
        f'<svg class="chart" role="img" viewBox="0 0 {WIDTH} {height}" font-size="11" fill="currentColor" '
        f'aria-labelledby="{key} {key}-d"><title id="{key}">{_said(title, 120)}</title>'
        f'<desc id="{key}-d">{description}</desc>{body}</svg>'
    )


def _grid(y: Scale) -> Iterable[str]:
    for tick in y.ticks:
        at = BOTTOM - y.place(tick, BOTTOM - TOP)
        yield (
            f'<path class="grid" d="M{LEFT} {at}H{RIGHT}" stroke="currentColor" stroke-opacity=".2"/>'
            f'<text x="{LEFT - 5}" y="{at + 4}" text-anchor="end">{figure(tick, y.unit)}</text>'
        )


def _hours(axis: Axis) -> Iterable[str]:
    for at, label in times(axis.start, axis.end):
        x = _across(axis, at)
        yield f'<text x="{x}" y="{BOTTOM + 15}" text-anchor="middle">{label}</text>'
    yield f'<text x="{RIGHT}" y="{HEIGHT - 2}" text-anchor="end">UTC</text>'


def _gaps(name: str, axis: Axis, drawn: Sequence[Line]) -> str:
    """Slots in which no line has a value."""
    count = max((len(line.values) for line in drawn), default=0)
    empty = [all(value is None for value in column) for column in zip(*(line.values for line in drawn), strict=True)]
    if not any(empty) and count:
        return ""
    runs = [(0, 1)] if not count else []
    place = 0
    for missing, group in groupby(empty):
        length = len(list(group))
        runs += [(place, place + length)] if missing else []
        place += length
    count = max(count, 1)
    edges = [(_slot_edge(first, count), _slot_edge(last, count)) for first, last in runs]
    widest = max(edges, key=lambda edge: edge[1] - edge[0])
    area = "".join(f"M{left} {TOP}H{right}V{BOTTOM}H{left}Z" for left, right in edges)
    wide = widest[1] - widest[0] >= 80
    label = f'<text x="{sum(widest) // 2}" y="{TOP + 14}" text-anchor="middle">not measured</text>' if wide else ""
    hatch = f"{_id(name)}-h"
    return (
        f'<pattern id="{hatch}" width="6" height="6" patternUnits="userSpaceOnUse">'
        '<path d="M0 6L6 0" stroke="currentColor" stroke-opacity=".5"/></pattern>'
        f'<path class="unknown" d="{area}" fill="url(#{hatch})"/>{label}'
    )


def _threshold(threshold: Threshold, y: Scale) -> str:
    at, label = BOTTOM - y.place(threshold.value, BOTTOM - TOP), _said(threshold.label, LONGEST_LABEL)
    beside = at + 13 if at < TOP + LABEL_HEIGHT else at - 3  # never in the legend
    return (
        f'<path class="threshold" d="M{LEFT} {at}H{RIGHT}" stroke="currentColor" {STROKES["threshold"]}/>'
        f'<text class="threshold" x="{LEFT + 3}" y="{beside}">{label}</text>'
    )


def _drawn(line: Line, y: Scale) -> str:
    count, stroke = len(line.values), STROKES.get(line.css, STROKES["unknown"])
    lows = [(_slot_middle(place, count), _height(v, y)) for place, v in enumerate(line.values)]
    look = f'class="{_word(line.css)}" stroke="currentColor" {stroke}'
    if line.highs is None:
        return f'<path {look} d="{path(lows)}" fill="none" stroke-linecap="round"/>'
    highs = [
        (x, None if low is None else TOP if high is None else _height(high, y))
        for (x, low), high in zip(lows, line.highs, strict=True)
    ]
    return f'<path {look} d="{band(lows, highs)}" fill-opacity=".15"/>'


def _groups(markers: Sequence[Marker], axis: Axis) -> list[list[Marker]]:
    """Neighbours that stand closer than a label is high share one."""
    groups: list[list[Marker]] = []
    for marker in sorted(markers, key=lambda each: each.at):
        if groups and _across(axis, marker.at) - _across(axis, groups[-1][0].at) < LABEL_HEIGHT:
            groups[-1].append(marker)
        else:
            groups.append([marker])
    return groups


def _marker(place: int, group: Sequence[Marker], axis: Axis) -> str:
    first, stroke = group[0], STROKES["marker"]
    x = _across(axis, first.at)
    kinds = {marker.kind: _across(axis, marker.at) for marker in group}
    strokes = "".join(
        f'<path class="marker {_word(kind)}" d="M{at} {TOP - 4}V{BOTTOM}" stroke="currentColor" {stroke}/>'
        for kind, at in kinds.items()
    )
    more = f" +{len(group) - 1}" if len(group) > 1 else ""
    left = x > RIGHT - 150
    return (
        f'{strokes}<text class="marker" x="{x - 3 if left else x + 3}" y="{TOP + 12 + LABEL_HEIGHT * (place % 4)}"'
        f"{' text-anchor=' + chr(34) + 'end' + chr(34) if left else ''}>"
        f"{_said(first.label, LONGEST_LABEL)}{more}</text>"
    )


def _legend(drawn: Sequence[Line]) -> str:
    parts, x = [], LEFT
    for line in drawn:
        stroke, label = STROKES.get(line.css, STROKES["unknown"]), _said(line.name, LONGEST_LABEL)
        parts.append(
            f'<path class="{_word(line.css)}" d="M{x} 10h24" stroke="currentColor" {stroke}/>'
            f'<text x="{x + 29}" y="14">{label}</text>'
        )
        x += 50 + 7 * len(line.name[:LONGEST_LABEL])
    return "".join(parts)


def _described(
    drawn: Sequence[Line], axis: Axis, y: Scale, thresholds: Sequence[Threshold], markers: Sequence[Marker], shown: int
) -> str:
    parts = [f"From {clock_time(axis.start)} to {clock_time(axis.until)} UTC."]
    for line in drawn:
        values = [Fraction(v) for v in line.values if v is not None]
        tops = [Fraction(v) for v in line.highs or () if v is not None] or values
        missing = len(line.values) - len(values)
        figures = (
            f"newest {figure(values[-1], y.unit)}, lowest {figure(min(values), y.unit)}, "
            f"highest {figure(max(tops), y.unit)}"
            if values
            else "no figure"
        )
        gaps = f", {missing} of {len(line.values)} slots without a figure" if missing else ""
        parts.append(f"{_said(line.name, 40)}: {figures}{gaps}.")
    parts += [f"{_said(each.label, 40)} at {figure(each.value, y.unit)}." for each in thresholds[:4]]
    newest = sorted(markers, key=lambda marker: marker.at)[-4:]
    parts += [f"{clock_time(each.at)}: {_said(each.label, LONGEST_LABEL)}." for each in newest]
    parts += [f"{len(markers) - shown} more events are not drawn."] if len(markers) > shown else []
    return " ".join(parts)


def _merged(line: Line, slots: int) -> Line:
    first = max(len(line.values) - slots, 0)
    values = _joined(line.values[first:], MOST_POINTS)
    highs = None if line.highs is None else _joined(line.highs[first:], MOST_POINTS)
    return Line(name=line.name, css=line.css, values=values, highs=highs)


def _joined(values: Sequence[Value], most: int) -> list[Value]:
    size = -(-len(values) // most) or 1
    groups = [values[first : first + size] for first in range(0, len(values), size)]
    return [max((v for v in group if v is not None), default=None) for group in groups]


def _height(value: Value, y: Scale) -> int | None:
    return None if value is None else BOTTOM - y.place(Fraction(value), BOTTOM - TOP)


def _slot_edge(slot: int, count: int) -> int:
    return LEFT + (RIGHT - LEFT) * slot // count


def _slot_middle(slot: int, count: int) -> int:
    return LEFT + (RIGHT - LEFT) * (2 * slot + 1) // (2 * count)


def _across(axis: Axis, at: Instant) -> int:
    length: Duration = max(axis.end - axis.start, 1)
    return LEFT + (RIGHT - LEFT) * min(max(at - axis.start, 0), length) // length


def _said(text: str, longest: int) -> str:
    """A text of others: cleaned, cut and escaped."""
    clean = visible(text)
    return escape(clean if len(clean) <= longest else clean[: longest - 1] + "…")


def _word(css: str) -> str:
    return "".join(character for character in css if character.isascii() and (character.isalnum() or character == "-"))


def _id(name: str) -> str:
    return _word(name.replace("/", "-").replace("_", "-")) or "chart"
