"""Whether a tier burns: both windows beyond their threshold, uncovered time counted good, and evidence enough."""

from dataclasses import dataclass

from figwatch_agent.durations import Duration
from figwatch_agent.engine.catalog import Stream, Watch
from figwatch_agent.engine.measuring import Rings
from figwatch_agent.evaluate.burn_rate import Crossing, over
from figwatch_agent.evaluate.evidence import rejects_within_budget


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
        lowest, highest = _bounds(watch, counts)
        certified &= lowest == highest
        if not (lowest and counts.known):
            return Crossing(over=False, certified=certified)
    counts = window_counts(rings, watch.stream, watch.long, cut)
    events = counts.total + counts.imputed + max(counts.total_edge - counts.bad_edge, 0)
    sure = rejects_within_budget(counts.bad, events, watch.stream.slo.objective, watch.alpha)
    return Crossing(over=sure, certified=certified)


def window_counts(rings: Rings, stream: Stream, length: Duration, cut: int = 0) -> WindowCounts:
    """The counts of one stream, without bad events that came before ``cut`` of them had been counted."""
    window, index = rings.streams(length), stream.index
    available = max(int(rings.counted()[1][index]) - cut, 0) if cut else None
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


def _bounds(watch: Watch, counts: WindowCounts) -> tuple[bool, bool]:
    """Whether the least and whether the most that the counts allow is over the threshold."""
    said = []
    for imputed, most in ((counts.imputed, False), (counts.imputed_least, True)):
        events = (counts.bad, counts.total + imputed, counts.bad_edge, counts.total_edge)
        said.append(over(*events, watch.factor, watch.stream.slo.objective, unsure_is_over=most).over)
    return said[0], said[1]


def _imputed(events: int, covered: Duration, length: Duration) -> int:
    """Events that the uncovered part of a window would have brought at the rate of the covered part, rounded down."""
    return events * max(length - covered, 0) // covered if covered > 0 else 0
