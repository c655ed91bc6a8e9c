"""Uptime against a clock that asks at every millisecond."""

from hypothesis import given
from hypothesis import strategies as st

from figwatch_agent.evaluate.uptime import Probe, Uptime, UptimeMeter, uptime

instants = st.integers(-20, 120)
probes = st.lists(st.tuples(instants, st.booleans()), max_size=15)
intervals = st.integers(1, 25)


def _state(results: list[tuple[int, bool]], interval: int, t: int) -> str:
    """What is known at millisecond t: the newest probe at or before it speaks, if it is younger than two intervals."""
    before = [(at, i) for i, (at, _) in enumerate(results) if at <= t]
    if not before:
        return "unknown"
    at, i = max(before)
    if t - at >= 2 * interval:
        return "unknown"
    return "up" if results[i][1] else "down"


def _by_the_millisecond(results: list[tuple[int, bool]], interval: int, start: int, end: int) -> Uptime:
    states = [_state(results, interval, t) for t in range(start, end)]
    return Uptime(up_ms=states.count("up"), down_ms=states.count("down"), unknown_ms=states.count("unknown"))


@given(probes, intervals, st.integers(0, 50), st.integers(0, 60))
def test_every_millisecond_is_accounted_for_once(
    results: list[tuple[int, bool]], interval: int, start: int, length: int
) -> None:
    found = uptime([Probe(at=at, up=up) for at, up in results], interval, start, start + length)
    assert found == _by_the_millisecond(results, interval, start, start + length)
    assert found.window_ms == length


@given(probes, intervals, st.lists(instants, max_size=8), st.integers(0, 50))
def test_a_meter_that_is_asked_at_any_time_keeps_the_sums_of_the_list(
    results: list[tuple[int, bool]], interval: int, asked: list[int], start: int
) -> None:
    """Probes come in their order, but as late as they like: the meter may have been advanced beyond them."""
    ordered = sorted(results, key=lambda result: result[0])
    meter, total = UptimeMeter(interval=interval, start=start, cursor=start), Uptime()
    questions = dict(enumerate(asked))
    for i, (at, up) in enumerate(ordered):
        if i in questions:
            meter, added = meter.advance(questions[i])
            total += added
        meter, added = meter.add(at, up)
        total += added
    meter, added = meter.advance(130)
    assert meter.cursor == 130
    assert total + added == _by_the_millisecond(ordered, interval, start, 130)


@given(probes, intervals)
def test_the_bounds_enclose_the_availability(results: list[tuple[int, bool]], interval: int) -> None:
    found = uptime([Probe(at=at, up=up) for at, up in results], interval, 0, 100)
    lower, upper, availability = found.lower_bound, found.upper_bound, found.availability
    assert lower is not None
    assert upper is not None
    assert 0 <= lower <= upper <= 1
    assert availability is None or lower <= availability <= upper
