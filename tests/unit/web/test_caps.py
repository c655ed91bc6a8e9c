"""Buckets: so many at once, then one every so often, in bounded memory."""

from hypothesis import given, settings
from hypothesis import strategies as st

from figwatch_agent.web.caps import Buckets, Cap


def test_so_many_at_once_and_then_one_every_so_often() -> None:
    buckets = Buckets(Cap(burst=3, every=10))
    assert [buckets.take("a", 0) for _ in range(5)] == [0, 0, 0, 10, 10]
    assert [buckets.take("a", 10), buckets.take("a", 10)] == [0, 10]
    assert buckets.take("a", 15) == 5


def test_addresses_do_not_share() -> None:
    buckets = Buckets(Cap(burst=1, every=10))
    assert [buckets.take("a", 0), buckets.take("b", 0), buckets.take("a", 0)] == [0, 0, 10]


def test_looking_takes_nothing() -> None:
    buckets = Buckets(Cap(burst=1, every=10))
    assert [buckets.wait("a", 0) for _ in range(3)] == [0, 0, 0]
    buckets.take("a", 0)
    assert buckets.wait("a", 4) == 6


def test_no_more_addresses_are_remembered_than_fit_and_the_longest_unseen_goes_first() -> None:
    buckets = Buckets(Cap(burst=1, every=1000), most=3)
    for address in "abcd":
        buckets.take(address, 0)
    assert len(buckets) == 3
    assert [buckets.wait(address, 0) > 0 for address in "abcd"] == [False, True, True, True]


@settings(max_examples=100, deadline=None)
@given(
    burst=st.integers(1, 5),
    every=st.integers(1, 20),
    gaps=st.lists(st.integers(0, 30), min_size=1, max_size=60),
)
def test_in_any_stretch_no_more_pass_than_the_cap_says(burst: int, every: int, gaps: list[int]) -> None:
    buckets, now, passed = Buckets(Cap(burst=burst, every=every)), 0, []
    for gap in gaps:
        now += gap
        if buckets.take("a", now) == 0:
            passed.append(now)
    for first, begin in enumerate(passed):
        for last in range(first, len(passed)):
            assert last - first + 1 <= burst + (passed[last] - begin) // every


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=40))
def test_whoever_waits_as_long_as_told_gets_in(gaps: list[int]) -> None:
    buckets, now = Buckets(Cap(burst=2, every=7)), 0
    for gap in gaps:
        now += gap
        now += buckets.wait("a", now)
        assert buckets.take("a", now) == 0
