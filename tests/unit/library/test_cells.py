"""Our own counts and buckets."""

import math
import sys
from threading import Barrier, Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from figwatch.cells import OVERFLOW_VALUE, Cells, CounterCell, Definition, Family, HistogramCell, Memory, Reading
from figwatch.errors import ConflictError

COUNTER = Definition(name="things_total", help="Things.", kind="counter", unit="", labels=("kind",))
HISTOGRAM = Definition(
    name="waits_seconds", help="Waits.", kind="histogram", unit="seconds", labels=("kind",), bounds=(0.1, 0.2, 1.0)
)


def ignore(_metric: str) -> None:
    pass


def counter(cells: Cells, cap: int = 100) -> Family[CounterCell]:
    return cells.counter(COUNTER, cap=cap, folded=ignore)


def histogram(cells: Cells) -> Family[HistogramCell]:
    return cells.histogram(HISTOGRAM, cap=100, folded=ignore)


def only(readings: list[Reading]) -> Reading:
    (reading,) = readings
    return reading


def test_no_count_is_lost_when_many_threads_add_to_one_cell() -> None:
    family, histograms = counter(Cells()), histogram(Cells())
    start = Barrier(8)
    switch = sys.getswitchinterval()

    def work() -> None:
        start.wait()
        for _ in range(2_000):
            family.cell(("a",)).add()
            histograms.cell(("a",)).observe(0.15)

    sys.setswitchinterval(1e-6)
    try:
        threads = [Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(switch)
    assert only(family.readings()).counts == (16_000,)
    assert only(histograms.readings()).counts == (0, 16_000, 0, 0)


def test_threads_that_meet_a_new_label_set_at_once_share_one_cell() -> None:
    family = counter(Cells())
    start = Barrier(8)

    def work(number: int) -> None:
        start.wait()
        for index in range(200):
            family.cell((str(index),)).add()

    threads = [Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    overflow = [reading for reading in family.readings() if reading.labels == (OVERFLOW_VALUE,)]
    assert sum(reading.counts[0] for reading in family.readings()) == 1_600
    assert {reading.counts[0] for reading in family.readings() if reading not in overflow} == {8}


@pytest.mark.parametrize(
    ("value", "bucket"),
    [
        (0.0, 0),
        (0.1, 0),  # a value equal to a bound lies within it
        (math.nextafter(0.1, 1), 1),
        (0.2, 1),
        (1.0, 2),
        (1.5, 3),  # beyond the last bound: the infinite bucket
    ],
)
def test_a_value_falls_into_the_first_bucket_that_holds_it(value: float, bucket: int) -> None:
    family = histogram(Cells())
    family.cell(("a",)).observe(value)
    assert only(family.readings()).counts.index(1) == bucket


@settings(max_examples=50)
@given(st.lists(st.floats(min_value=0, max_value=5)))
def test_buckets_agree_with_counting_by_hand(values: list[float]) -> None:
    family = histogram(Cells())
    cell = family.cell(("a",))
    for value in values:
        cell.observe(value)
    edges = (-1.0, *HISTOGRAM.bounds, math.inf)
    by_hand = tuple(sum(low < value <= high for value in values) for low, high in zip(edges, edges[1:], strict=False))  # noqa: RUF007 - as one would by hand
    assert only(family.readings()).counts == by_hand


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0, 1e300])
def test_a_value_that_would_poison_a_sum_is_refused_and_leaves_no_trace(value: float) -> None:
    counts, waits = counter(Cells()).cell(("a",)), histogram(Cells())
    with pytest.raises(ValueError, match="finite"):
        counts.add(value)
    with pytest.raises(ValueError, match="finite"):
        waits.cell(("a",)).observe(value)
    assert only(waits.readings()).counts == (0, 0, 0, 0)


def test_whole_numbers_are_counted_exactly_beyond_what_a_float_holds() -> None:
    family = counter(Cells())
    cell = family.cell(("a",))
    for _ in range(3):
        cell.add(2**53)
    cell.add(1)
    assert only(family.readings()).counts == (3 * 2**53 + 1,)


def test_label_sets_beyond_the_cap_share_one_series_and_are_reported() -> None:
    told: list[str] = []
    family = Cells().counter(COUNTER, cap=2, folded=told.append)
    for kind in ("a", "b", "c", "d", "a"):
        family.cell((kind,)).add()
    assert {reading.labels: reading.counts[0] for reading in family.readings()} == {
        ("a",): 2,
        ("b",): 1,
        (OVERFLOW_VALUE,): 2,
    }
    assert told == ["things_total", "things_total"]


def test_the_same_declaration_gives_the_same_family() -> None:
    cells = Cells()
    assert counter(cells) is counter(cells)


def test_a_name_declared_otherwise_is_a_conflict() -> None:
    cells = Cells()
    counter(cells)
    other = Definition(name="things_total", help="Things.", kind="counter", unit="", labels=("colour",))
    with pytest.raises(ConflictError, match="things_total"):
        cells.counter(other, cap=1, folded=ignore)


def test_a_family_without_labels_has_its_series_from_the_start() -> None:
    bare = Definition(name="events_total", help="Events.", kind="counter", unit="", labels=())
    family = Cells().counter(bare, cap=1, folded=ignore)
    assert only(family.readings()).counts == (0,)


def test_a_series_remembers_when_it_was_born() -> None:
    now = [10.0]
    family = counter(Cells(Memory(clock=lambda: now[0])))
    family.cell(("a",)).add()
    now[0] = 20.0
    family.cell(("a",)).add()
    family.cell(("b",)).add()
    assert [reading.created for reading in family.readings()] == [10.0, 20.0]


class SharedArrays(Memory):
    """Stands for a file-mapped storage: every process that allots a series adds to the same numbers."""


def test_two_registries_over_one_storage_add_to_the_same_series() -> None:
    storage = SharedArrays()
    one, two = counter(Cells(storage)), counter(Cells(storage))
    one.cell(("a",)).add()
    two.cell(("a",)).add()
    assert only(one.readings()).counts == only(two.readings()).counts == (2,)


@given(value=st.floats(0, 2), share=st.floats(0, 1))
def test_counting_twice_in_one_call_is_counting_twice(value: float, share: float) -> None:
    family = histogram(Cells())
    bucket = family.cell(("together",)).observe_with(value, family.cell(("other",)), value * share)
    assert family.cell(("apart",)).observe(value) == bucket
    family.cell(("apart_other",)).observe(value * share)
    by_labels = {reading.labels[0]: (reading.counts, reading.total) for reading in family.readings()}
    assert by_labels["together"] == by_labels["apart"]
    assert by_labels["other"] == by_labels["apart_other"]


@pytest.mark.parametrize("values", [(-1.0, 0.0), (0.0, -1.0), (math.nan, 0.0), (0.0, math.nan)])
def test_counting_twice_refuses_what_counting_refuses(values: tuple[float, float]) -> None:
    family = histogram(Cells())
    with pytest.raises(ValueError, match="finite values"):
        family.cell(("a",)).observe_with(values[0], family.cell(("b",)), values[1])
