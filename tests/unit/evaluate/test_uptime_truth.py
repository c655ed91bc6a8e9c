"""Truth tables: what probes, requests and incidents of every shape make of uptime and of the time to recover."""

from __future__ import annotations

from fractions import Fraction

import pytest

from figwatch_agent.evaluate.mttr import Mttr, Stages, mttr, stages
from figwatch_agent.evaluate.uptime import Probe, RequestUptime, uptime
from figwatch_agent.model.names import Verdict
from figwatch_agent.model.target import parse_target

MET, MISSED, OPEN = Verdict.MET, Verdict.MISSED, Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("probes", "up", "down", "unknown", "verdict"),
    [
        # Probes every 10 over 100, "> 75%". A probe holds until the next, at most two intervals.
        ([], 0, 0, 100, OPEN),  # the monitor was off: never 100 %, never 0 %
        ([(t, True) for t in range(0, 100, 10)], 100, 0, 0, MET),  # every probe was answered
        ([(t, False) for t in range(0, 100, 10)], 0, 100, 0, MISSED),  # none was
        ([(t, t < 70) for t in range(0, 100, 10)], 70, 30, 0, MISSED),  # down for longer than promised
        ([(t, t != 50) for t in range(0, 100, 10)], 90, 10, 0, MET),  # one probe failed
        ([(t, True) for t in range(0, 50, 10)], 60, 0, 40, OPEN),  # the monitor died: it may have been up or down
        ([(t, True) for t in range(20, 100, 10)], 80, 0, 20, MET),  # even down before, enough is known
        ([(t, True) for t in range(30, 100, 10)], 70, 0, 30, OPEN),  # it began too late to be sure
        ([(t, False) for t in range(0, 20, 10)], 0, 30, 70, MISSED),  # even up ever since, the promise is broken
        ([(0, True), (20, True), (40, True), (60, True), (80, True)], 100, 0, 0, MET),  # each second probe is enough
        ([(0, True), (30, True), (60, True), (90, True)], 70, 0, 30, OPEN),  # each third leaves gaps
        ([(90, False), (0, True)], 20, 10, 70, OPEN),  # order does not matter, and little is known
        ([(50, True), (50, False)], 0, 20, 80, OPEN),  # of two at one instant the last counts
    ],
)
def test_uptime_by_probes(probes: list[tuple[int, bool]], up: int, down: int, unknown: int, verdict: Verdict) -> None:
    found = uptime([Probe(at=at, up=good) for at, good in probes], 10, 0, 100)
    assert (found.up_ms, found.down_ms, found.unknown_ms) == (up, down, unknown)
    assert found.judge(parse_target("> 75%")).verdict is verdict


@pytest.mark.parametrize(
    ("bad", "total", "edge", "covered", "low", "value", "high"),
    [
        # bad and total surely inside, (bad, total) of the slot at the window's edge, covered time of 100
        (0, 0, (0, 0), 100, None, None, None),  # no traffic says nothing, good or bad
        (0, 10, (0, 0), 100, Fraction(1), Fraction(1), Fraction(1)),  # all was measured and all was good
        (1, 10, (0, 0), 100, Fraction(9, 10), Fraction(9, 10), Fraction(9, 10)),  # one of ten failed
        (10, 10, (0, 0), 100, Fraction(0), Fraction(0), Fraction(0)),  # all failed
        (
            0,
            10,
            (0, 0),
            50,
            Fraction(1, 2),
            Fraction(1),
            Fraction(1),
        ),  # half the time is unknown: had it failed, half failed
        (
            1,
            10,
            (0, 0),
            50,
            Fraction(9, 20),
            Fraction(9, 10),
            Fraction(19, 20),
        ),  # and the failures seen are diluted at best
        (0, 10, (0, 0), 0, Fraction(0), Fraction(1), Fraction(1)),  # nothing is covered: anything is possible
        (
            0,
            10,
            (10, 10),
            100,
            Fraction(1, 2),
            Fraction(1, 2),
            Fraction(1),
        ),  # a burst at the edge lies inside or outside
        (
            1,
            10,
            (0, 10),
            100,
            Fraction(9, 10),
            Fraction(19, 20),
            Fraction(19, 20),
        ),  # good requests at the edge can only help
        (12, 10, (0, 0), 100, Fraction(0), Fraction(0), Fraction(0)),  # more bad than requests is shown as none good
    ],
)
def test_uptime_by_requests(
    bad: int,
    total: int,
    edge: tuple[int, int],
    covered: int,
    low: Fraction | None,
    value: Fraction | None,
    high: Fraction | None,
) -> None:
    found = RequestUptime(
        bad_low=bad,
        bad_high=bad + edge[0],
        total_low=total,
        total_high=total + edge[1],
        covered=covered,
        window=100,
    )
    assert (found.lower_bound, found.availability, found.upper_bound) == (low, value, high)


@pytest.mark.parametrize(
    ("incidents", "count", "still_open", "mean", "worst", "low", "high"),
    [
        # (impact_start, mitigated) at 1000
        ([(0, 0)], 1, 0, Fraction(0), 0, Fraction(0), Fraction(0)),  # over as soon as it began
        ([(0, 100)], 1, 0, Fraction(100), 100, Fraction(100), Fraction(100)),  # one is its own mean
        ([(0, 100), (500, 800)], 2, 0, Fraction(200), 300, Fraction(200), Fraction(200)),  # the mean of two
        ([(900, None)], 0, 1, None, 100, Fraction(100), None),  # open: at least its age, no upper end
        (
            [(0, 100), (0, None)],
            1,
            1,
            Fraction(100),
            1000,
            Fraction(550),
            None,
        ),  # the open one is not dropped: it raises the floor
        (
            [(0, 400), (900, None)],
            1,
            1,
            Fraction(400),
            400,
            Fraction(250),
            None,
        ),  # a young one lowers the floor of the mean
        ([(2000, None)], 0, 1, None, 0, Fraction(0), None),  # one that begins ahead of our clock has no age yet
    ],
)
def test_time_to_mitigate(
    incidents: list[tuple[int, int | None]],
    count: int,
    still_open: int,
    mean: Fraction | None,
    worst: int,
    low: Fraction,
    high: Fraction | None,
) -> None:
    found = mttr(incidents, 1000)
    assert found is not None
    assert (found.count, found.open_count, found.mean, found.worst) == (count, still_open, mean, worst)
    assert (found.mean_low, found.mean_high) == (low, high)


@pytest.mark.parametrize(
    ("incident", "figures"),
    [
        # Every stage in order, each timed from the beginning of the impact.
        (
            Stages(impact_start=0, detected=2, paged=5, acknowledged=20, mitigated=60, resolved=90),
            {
                "detected": (1, 0, 2),
                "paged": (1, 0, 5),
                "acknowledged": (1, 0, 20),
                "mitigated": (1, 0, 60),
                "resolved": (1, 0, 90),
            },
        ),
        # Nobody came before it was over: it will not be acknowledged any more, and waits for nobody.
        (
            Stages(impact_start=0, detected=2, paged=5, mitigated=60, resolved=90),
            {"detected": (1, 0, 2), "paged": (1, 0, 5), "mitigated": (1, 0, 60), "resolved": (1, 0, 90)},
        ),
        # It is still open: what was not reached may still be.
        (
            Stages(impact_start=0, detected=2, paged=5),
            {
                "detected": (1, 0, 2),
                "paged": (1, 0, 5),
                "acknowledged": (0, 1, None),
                "mitigated": (0, 1, None),
                "resolved": (0, 1, None),
            },
        ),
        # The impact was found to begin after the first alarm: detected at once, not before.
        (
            Stages(impact_start=10, detected=8, mitigated=40, resolved=50),
            {"detected": (1, 0, 0), "mitigated": (1, 0, 30), "resolved": (1, 0, 40)},
        ),
    ],
)
def test_stages_of_an_incident(incident: Stages, figures: dict[str, tuple[int, int, int | None]]) -> None:
    found = {each.stage: each.figures for each in stages([incident], 100)}
    assert {name: _brief(each) for name, each in found.items()} == figures


def test_an_incident_that_ended_without_a_stage_is_skipped_and_counted() -> None:
    acknowledged = [
        each
        for each in stages(
            [Stages(impact_start=0, acknowledged=4, resolved=9), Stages(impact_start=0, resolved=9)], 100
        )
        if each.stage == "acknowledged"
    ]
    assert [(each.figures.count, each.skipped) for each in acknowledged] == [(1, 1)]


def _brief(found: Mttr) -> tuple[int, int, Fraction | None]:
    return found.count, found.open_count, found.mean
