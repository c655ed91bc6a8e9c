"""Counter memory: one rule of counting each."""

import numpy as np
import pytest

from figwatch_agent.evaluate.increases import CREATED_SLACK, CounterMemory, Increase, family_of, joined
from figwatch_agent.model.batch import Batch, Series, SeriesTable

LONGEST = 2_500


def page(at: int, created: dict[str, int] | None = None, **values: int) -> Batch:
    """One answer; keyword arguments are counters."""
    table = SeriesTable(tuple(Series(name=f"{name}_total", labels=()) for name in values), frozenset(values))
    stamps = [(created or {}).get(name, 0) for name in values]
    return Batch(
        target="t",
        at=at,
        up=True,
        table=table,
        values=np.array(list(values.values()), dtype=np.float64),
        created=np.array(stamps, dtype=np.int64),
    )


def remembered(*pages: Batch) -> CounterMemory:
    memory = CounterMemory()
    for each in pages:
        memory.observe(each, LONGEST)
    return memory


def counted(increase: Increase) -> list[int]:
    return [int(count) for count in increase.counts]


def test_the_first_answer_ever_is_where_counting_starts() -> None:
    increase = CounterMemory().observe(page(1_000, a=500), LONGEST)
    assert (counted(increase), increase.gap, increase.timed, increase.started) == ([0], None, False, 1)


def test_an_increase_is_the_difference() -> None:
    increase = remembered(page(1_000, a=500)).observe(page(2_000, a=507), LONGEST)
    assert (counted(increase), increase.gap, increase.timed) == ([7], 1_000, True)


def test_a_reset_counts_from_zero() -> None:
    increase = remembered(page(1_000, a=500)).observe(page(2_000, a=3), LONGEST)
    assert (counted(increase), increase.reset) == ([3], 1)


def test_a_reset_to_zero_counts_nothing() -> None:
    assert counted(remembered(page(1_000, a=500)).observe(page(2_000, a=0), LONGEST)) == [0]


def test_a_birth_stamped_within_the_gap_counts_however_large_it_is() -> None:
    increase = remembered(page(1_000, a=1)).observe(page(2_000, {"b": 1_500}, a=1, b=10**9), LONGEST)
    assert (counted(increase), increase.born) == ([0, 10**9], 1)


@pytest.mark.parametrize(("created", "count"), [(10_000 - CREATED_SLACK, 5), (10_000 - CREATED_SLACK - 1, 0)])
def test_clocks_may_differ_by_a_second_about_a_birth(created: int, count: int) -> None:
    increase = remembered(page(10_000, a=1)).observe(page(11_000, {"b": created}, a=1, b=5), LONGEST)
    assert counted(increase) == [0, count]


@pytest.mark.parametrize(("value", "count"), [(200, 200), (201, 0)])
def test_a_birth_without_a_stamp_may_be_ten_times_what_was_counted_lately(value: int, count: int) -> None:
    memory = remembered(page(1_000, a=0), page(2_000, a=20))
    increase = memory.observe(page(3_000, a=40, b=value), LONGEST)
    assert counted(increase) == [20, count]
    assert (increase.born, increase.started) == ((1, 0) if count else (0, 1))


def test_a_birth_after_a_failed_scrape_is_where_counting_starts() -> None:
    memory = remembered(page(1_000, a=0), page(2_000, a=20))
    memory.fail()
    increase = memory.observe(page(3_000, {"b": 2_500}, a=40, b=2), LONGEST)
    assert (counted(increase), increase.answered_before) == ([20, 0], False)


def test_a_series_that_comes_back_goes_on_where_it_was() -> None:
    memory = remembered(page(1_000, a=1, b=100), page(2_000, a=2))
    assert counted(memory.observe(page(3_000, a=3, b=104), LONGEST)) == [1, 4]


def test_what_happened_in_a_long_gap_is_counted_and_has_no_time() -> None:
    memory = remembered(page(1_000, a=1))
    at_the_line = memory.observe(page(1_000 + LONGEST, a=5), LONGEST)
    beyond = memory.observe(page(1_000 + 2 * LONGEST + 1, a=9), LONGEST)
    assert (counted(at_the_line), at_the_line.timed) == ([4], True)
    assert (counted(beyond), beyond.timed) == ([4], False)


def test_the_rows_of_one_histogram_are_one_family() -> None:
    labels = (("le", "0.1"), ("route", "/a"))
    bucket = Series(name="h_seconds_bucket", labels=labels)
    count = Series(name="h_seconds_count", labels=labels[1:])
    summed = Series(name="h_seconds_sum", labels=labels[1:])
    assert family_of(bucket) == family_of(count) == family_of(summed) == ("h_seconds", (("route", "/a"),))


def test_a_counter_created_anew_counts_from_zero_even_where_it_has_grown_beyond_its_last_value() -> None:
    memory = CounterMemory()
    memory.observe(page(10_000, {"a": 9_000}, a=5), LONGEST)
    memory.observe(page(11_000, {"a": 9_000}, a=8), LONGEST)
    increase = memory.observe(page(12_000, {"a": 11_500}, a=20), LONGEST)
    assert (increase.counts.tolist(), increase.reset) == ([20], 1)


def answer(gap: int | None, *, timed: bool = True) -> Increase:
    return Increase(np.zeros(1, dtype=np.int64), gap, timed, answered_before=True)


@pytest.mark.parametrize(
    ("earlier", "later", "gap"),
    [
        (answer(3), answer(4), 7),  # both belong to windows: their time is covered, one after the other
        (answer(3, timed=False), answer(4), 4),  # the earlier came after a silence: its counts belong to none
        (answer(3), answer(4, timed=False), 4),
        (answer(None), answer(4), 4),
        (answer(3), answer(None), 3),
        (None, answer(4), 4),
    ],
)
def test_two_answers_of_one_tick_cover_the_time_of_both(earlier: Increase | None, later: Increase, gap: int) -> None:
    found = joined(earlier, later)
    assert found is not None
    assert (found.gap, found.timed) == (gap, later.timed)
    assert found.counts is later.counts


def test_a_tick_without_a_second_answer_covers_nothing_more() -> None:
    assert joined(answer(3), None) is None
    assert joined(None, None) is None


@pytest.mark.parametrize(("first", "counts"), [(110, True), (111, False)])
def test_what_can_have_come_about_follows_the_latest_answers_by_a_tenth(first: int, counts: bool) -> None:
    faster = remembered(page(0, a=0), page(1_000, a=10), page(2_000, a=30))  # ten a second, then twenty: eleven, lately
    increase = faster.observe(page(3_000, a=60, b=first), LONGEST)
    assert (counted(increase), increase.started) == (([30, first], 0) if counts else ([30, 0], 1))


def test_two_answers_of_one_instant_say_nothing_of_the_pace() -> None:
    memory = remembered(page(1_000, a=0), page(2_000, a=10))
    assert counted(memory.observe(page(2_000, a=15), LONGEST)) == [5]
    assert memory.rate == 10 / 1_000
    memory.observe(page(2_001, a=16), LONGEST)  # a millisecond is time
    assert memory.rate == pytest.approx(0.9 * 10 / 1_000 + 0.1 * 1)


def test_the_millisecond_after_the_epoch_is_a_date_that_another_one_follows() -> None:
    increase = remembered(page(1_000, {"a": 1}, a=5)).observe(page(2_000, {"a": 2}, a=9), LONGEST)
    assert (counted(increase), increase.reset) == ([9], 1)


@pytest.mark.parametrize(("gone", "kept"), [(10_003, True), (10_004, False)])
def test_series_that_are_gone_are_remembered_up_to_four_times_those_shown_and_ten_thousand(
    gone: int, kept: bool
) -> None:
    memory = remembered(page(1_000, a=5))
    memory.vanished = {Series(name=f"gone{number}_total", labels=()): (7, 0) for number in range(gone)}
    increase = memory.observe(page(2_000, a=6, gone0=9), LONGEST)
    assert counted(increase)[1] == (2 if kept else 0)
    assert bool(memory.vanished) == kept
