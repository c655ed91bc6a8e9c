"""SLOs written in PromQL: whole events, and none lost to rounding."""

from __future__ import annotations

import pytest

from figwatch_agent.durations import SECOND
from figwatch_agent.sources.fault import Fault
from support.estimates import estimates, vector


def test_a_count_over_the_window_counts_since_the_look_before() -> None:
    own = estimates()
    own.counted([vector("100"), vector("1")], 10 * SECOND)
    assert own.texts(25 * SECOND)[0] == "sum(increase(a_total[15000ms]))"
    counted = own.counted([vector("30"), vector("0.2")], 25 * SECOND)
    assert (counted.keys, counted.total.tolist(), counted.bad.tolist(), counted.covered.tolist()) == (
        ("own ",), [30], [3], [15_000],
    )  # fmt: skip


def test_the_first_look_covers_no_time() -> None:
    assert estimates().counted([vector("100"), vector("1")], 10 * SECOND).covered.tolist() == [0]


def test_what_rounding_leaves_is_counted_later() -> None:
    own = estimates()
    own.counted([vector("0"), vector("0")], 0 + SECOND)
    totals = [own.counted([vector("0.3"), vector("0")], at * SECOND).total.tolist() for at in range(2, 12)]
    assert sum(total for (total,) in totals) in (2, 3)  # ten times 0.3 as doubles


def test_an_empty_vector_is_unknown_and_not_zero() -> None:
    own = estimates()
    own.counted([vector("1"), vector("1")], SECOND)
    assert own.counted([vector(), vector()], 2 * SECOND).covered.tolist() == [0]


def test_no_bad_series_beside_known_traffic_is_no_bad_event() -> None:
    own = estimates()
    own.counted([vector("1"), vector("1")], SECOND)
    counted = own.counted([vector("7"), vector()], 2 * SECOND)
    assert (counted.total.tolist(), counted.bad.tolist(), counted.covered.tolist()) == ([7], [0], [1_000])


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-1"])
def test_what_is_no_count_is_unknown(value: str) -> None:
    own = estimates()
    own.counted([vector("1"), vector("1")], SECOND)
    assert own.counted([vector(value), vector("0")], 2 * SECOND).covered.tolist() == [0]


def test_a_look_that_failed_leaves_its_time_unknown() -> None:
    own = estimates()
    own.counted([vector("1"), vector("1")], SECOND)
    own.skip()
    assert own.counted([vector("9"), vector("0")], 60 * SECOND).covered.tolist() == [0]


@pytest.mark.parametrize(
    "answer", [None, {"resultType": "matrix", "result": []}, {"resultType": "vector", "result": [{}]}]
)
def test_an_answer_of_another_form_is_a_fault(answer: object) -> None:
    with pytest.raises(Fault):
        estimates().counted([answer, answer], SECOND)
