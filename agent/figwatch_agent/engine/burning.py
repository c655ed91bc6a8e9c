"""Whether a tier burns: both windows beyond their threshold, uncovered time counted good, and evidence enough."""

from dataclasses import dataclass

from figwatch_agent.durations import MINUTE, Duration, Instant
from figwatch_agent.engine.catalog import Stream, Watch
from figwatch_agent.engine.measuring import Rings
from figwatch_agent.evaluate.burn_rate import Crossing, over
from figwatch_agent.evaluate.evidence import rejects_within_budget
from figwatch_agent.evaluate.weighted import Spent, weighted_over


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowCounts:
    """One stream in one window, with what may lie on either side of its start."""

    bad: int
    total: int
    bad_edge: int
    total_edge: int
    imputed: int  # good events that uncovered time would have brought at the covered rate, at most
    imputed_least: int  # the same at least: the time of the cut slot may have been covered inside the window
    known: bool  # whether anything was measured


def confirmed(rings: Rings, watch: Watch, cut: int) -> Crossing:
    """Exactly, with uncovered time counted good and with the evidence that the budget is exceeded at all."""
    certified = True
    for length in (watch.long, watch.short):
        counts = window_counts(rings, watch.stream, length, cut)
        lowest, highest = bounds(watch, counts)
        certified &= lowest == highest
        if not (lowest and counts.known):
            return Crossing(over=False, certified=certified)
    counts = window_counts(rings, watch.stream, watch.long, cut)
    events = counts.total + counts.imputed + max(counts.total_edge - counts.bad_edge, 0)
    sure = rejects_within_budget(counts.bad, events, watch.stream.slo.objective, watch.alpha)
    if not sure or watch.stream.slo.burn == "time":
        return Crossing(over=sure, certified=certified)
    weighted = [by_traffic(rings, watch, length, cut) for length in (watch.long, watch.short)]
    return Crossing(
        over=all(each.over for each in weighted), certified=certified and all(each.certified for each in weighted)
    )


def by_traffic(rings: Rings, watch: Watch, length: Duration, cut: int) -> Crossing:
    """Whether a window's bad events spend the period's budget faster than the watch's factor."""
    counts = window_counts(rings, watch.stream, length, cut)
    spent = spent_in(rings, watch.stream, length, counts.bad, counts.bad_edge)
    return weighted_over(spent, watch.factor, 1 - watch.stream.slo.objective)


def lane_weighs(rings: Rings, watch: Watch, since: Instant, now: Instant) -> bool:
    """Whether the early lane's bad events, of a minute at most since its impact began, weigh enough to be told.

    They always do unless the SLO says ``burn: traffic``.
    """
    if watch.stream.slo.burn == "time":
        return True
    index = watch.stream.index
    bad = int(rings.streams(MINUTE).bad.inside[index])
    if watch.lane == "service":
        bad = min(rings.sides(watch.stream, MINUTE)[0][0], bad)
    spent = spent_in(rings, watch.stream, min(MINUTE, max(now - since, 1)), bad, 0)
    return weighted_over(spent, watch.factor, 1 - watch.stream.slo.objective).over


def spent_in(rings: Rings, stream: Stream, length: Duration, bad: int, bad_edge: int) -> Spent:
    """Bad events of a window beside the traffic of the SLO's whole period."""
    period, index = rings.streams(stream.service.window), stream.index
    return Spent(
        bad=bad,
        bad_edge=bad_edge,
        window=length - int(rings.time_aside(length)[index]),
        total=int(period.total.inside[index]),
        total_edge=int(period.total.edge[index]),
        covered=int(period.covered.inside[index]),
        covered_edge=int(period.covered.edge[index]),
    )


def window_counts(rings: Rings, stream: Stream, length: Duration, cut: int = 0) -> WindowCounts:
    """The counts of one stream, without bad events that came before ``cut`` of them had been counted."""
    window, index = rings.streams(length), stream.index
    length -= int(window.aside[index])  # time that is set aside is neither known nor unknown
    available = max(rings.bad_since(index, cut), 0) if cut else None
    bad, bad_edge = int(window.bad.inside[index]), int(window.bad.edge[index])
    if available is not None:
        bad = min(bad, available)
        bad_edge = min(bad_edge, available - bad)
    total, total_edge = int(window.total.inside[index]), int(window.total.edge[index])
    covered, most = int(window.covered.inside[index]), int(window.covered.most[index])
    return WindowCounts(
        bad=bad,
        total=total,
        bad_edge=bad_edge,
        total_edge=total_edge,
        imputed=-_imputed(-total - max(total_edge - bad_edge, 0), covered, length),
        imputed_least=_imputed(total, most, length),
        known=covered > 0,
    )


def bounds(watch: Watch, counts: WindowCounts) -> tuple[bool, bool]:
    """Whether the least and whether the most that the counts allow is over the threshold."""
    said = []
    for imputed, most in ((counts.imputed, False), (counts.imputed_least, True)):
        events = (counts.bad, counts.total + imputed, counts.bad_edge, counts.total_edge)
        said.append(over(*events, watch.factor, watch.stream.slo.objective, unsure_is_over=most).over)
    return said[0], said[1]


def _imputed(events: int, covered: Duration, length: Duration) -> int:
    """Events that the uncovered part of a window would have brought at the rate of the covered part, rounded down."""
    return events * max(length - covered, 0) // covered if covered > 0 else 0
