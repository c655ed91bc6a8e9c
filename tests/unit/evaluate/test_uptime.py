"""Uptime is up, down or unknown, weighted by time."""

from fractions import Fraction

import pytest

from figwatch_agent.evaluate.uptime import Probe, Uptime, UptimeMeter, uptime
from figwatch_agent.model.names import Verdict
from figwatch_agent.model.target import parse_target

UP_AT_0 = Probe(at=0, up=True)


def test_without_probes_everything_is_unknown() -> None:
    assert uptime([], 10, 0, 100) == Uptime(unknown_ms=100)


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (19, Uptime(up_ms=19)),
        (20, Uptime(up_ms=20)),  # two intervals, and no more
        (21, Uptime(up_ms=20, unknown_ms=1)),
    ],
)
def test_a_probe_holds_for_two_intervals(end: int, expected: Uptime) -> None:
    assert uptime([UP_AT_0], 10, 0, end) == expected


def test_a_probe_holds_until_the_next() -> None:
    probes = [UP_AT_0, Probe(at=10, up=False), Probe(at=15, up=True)]
    assert uptime(probes, 10, 0, 20) == Uptime(up_ms=15, down_ms=5)


def test_a_gap_between_probes_is_unknown() -> None:
    assert uptime([UP_AT_0, Probe(at=50, up=False)], 10, 0, 60) == Uptime(up_ms=20, unknown_ms=30, down_ms=10)


def test_a_probe_before_the_window_reaches_into_it() -> None:
    assert uptime([Probe(at=-5, up=False)], 10, 0, 30) == Uptime(down_ms=15, unknown_ms=15)


def test_time_before_the_first_probe_is_unknown() -> None:
    assert uptime([Probe(at=4, up=True)], 10, 0, 10) == Uptime(unknown_ms=4, up_ms=6)


def test_probes_after_the_window_say_nothing_about_it() -> None:
    assert uptime([Probe(at=10, up=True)], 10, 0, 10) == Uptime(unknown_ms=10)


def test_of_two_probes_at_one_instant_the_last_counts() -> None:
    assert uptime([UP_AT_0, Probe(at=0, up=False)], 10, 0, 10) == Uptime(down_ms=10)


def test_an_empty_window_has_no_figures() -> None:
    nothing = uptime([UP_AT_0], 10, 5, 5)
    assert (nothing.availability, nothing.coverage, nothing.lower_bound, nothing.upper_bound) == (None,) * 4


def test_a_window_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot end before it starts"):
        uptime([], 10, 1, 0)


def test_unknown_time_is_down_in_the_lower_and_up_in_the_upper_bound() -> None:
    seen = Uptime(up_ms=60, down_ms=20, unknown_ms=20)
    assert seen.availability == Fraction(3, 4)
    assert seen.coverage == Fraction(4, 5)
    assert seen.lower_bound == Fraction(3, 5)
    assert seen.upper_bound == Fraction(4, 5)


def test_availability_is_unknown_while_nothing_is_known() -> None:
    assert Uptime(unknown_ms=5).availability is None


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (Uptime(up_ms=9990, down_ms=10), Verdict.MET),
        (Uptime(up_ms=9990, unknown_ms=10), Verdict.MET),  # met even if it was down then
        (Uptime(up_ms=9989, unknown_ms=11), Verdict.INCONCLUSIVE),
        (Uptime(up_ms=9989, down_ms=11), Verdict.MISSED),
        (Uptime(down_ms=11, unknown_ms=9989), Verdict.MISSED),  # missed even if it was up all the time
        (Uptime(down_ms=10, unknown_ms=9990), Verdict.INCONCLUSIVE),
        (Uptime(unknown_ms=10_000), Verdict.INCONCLUSIVE),
        (Uptime(), Verdict.INCONCLUSIVE),
    ],
)
def test_a_promise_is_judged_by_the_bounds(seen: Uptime, verdict: Verdict) -> None:
    assert seen.judge(parse_target(">= 99.9%")).verdict is verdict


def test_a_meter_accounts_for_time_once() -> None:
    meter, first = UptimeMeter(interval=10, start=0, cursor=0).add(5, True)
    meter, again = meter.advance(5)
    _, rest = meter.advance(8)
    assert (first, again, rest) == (Uptime(unknown_ms=5), Uptime(), Uptime(up_ms=3))


def test_a_late_probe_turns_unknown_time_into_known_time() -> None:
    meter, _ = UptimeMeter(interval=10, start=0, cursor=0).advance(50)
    meter, added = meter.add(40, False)
    assert added == Uptime(down_ms=10, unknown_ms=-10)
    assert meter.cursor == 50


def test_a_probe_from_before_the_start_adds_nothing_before_the_start() -> None:
    meter, added = UptimeMeter(interval=10, start=100, cursor=100).add(95, True)
    assert added == Uptime()
    assert meter.advance(120)[1] == Uptime(up_ms=15, unknown_ms=5)


def test_a_probe_older_than_the_one_held_is_ignored() -> None:
    meter, _ = UptimeMeter(interval=10, start=0, cursor=0).add(20, True)
    assert meter.add(19, False) == (meter, Uptime())
