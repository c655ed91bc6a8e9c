"""Declared business metrics."""

import asyncio
import math
from itertools import count

import pytest

import figwatch
from figwatch.business import SERIES_CAP, VALUE_LENGTH
from figwatch.errors import ConflictError, DefinitionError
from figwatch.gateway import Decision, Edge
from figwatch.testing import recording

_numbers = count()


def fresh_name(ending: str) -> str:
    """A name no other test has declared: declarations last as long as the process."""
    return f"shop_{next(_numbers)}_{ending}"


def test_a_counter_counts_per_label_set() -> None:
    name = fresh_name("messages_total")
    messages = figwatch.counter(name, "Messages.", labels=("model",))
    with recording() as recorded:
        messages.inc(model="small")
        messages.inc(2, model="large")
        messages.inc(0.5, model="large")
    assert recorded.value(name, model="small") == 1
    assert recorded.value(name, model="large") == 2.5
    assert recorded.value(name) == 3.5


def test_declaring_the_same_metric_again_counts_on() -> None:
    name = fresh_name("messages_total")
    with recording() as recorded:
        for _ in range(2):
            figwatch.counter(name, "Messages.").inc()
        assert recorded.value(name) == 2


def test_declaring_a_name_otherwise_is_a_conflict() -> None:
    name = fresh_name("messages_total")
    figwatch.counter(name, "Messages.")
    with pytest.raises(ConflictError, match=name):
        figwatch.counter(name, "Messages.", labels=("model",))


@pytest.mark.parametrize(
    ("amount", "labels"),
    [
        (1, {}),  # a label is missing
        (1, {"modle": "small"}),
        (1, {"model": "small", "more": "x"}),
        (-1, {"model": "small"}),
        (math.nan, {"model": "small"}),
        ("many", {"model": "small"}),
    ],
)
def test_a_wrong_call_never_raises_adds_nothing_and_is_counted(amount: float, labels: dict[str, str]) -> None:
    name = fresh_name("messages_total")
    messages = figwatch.counter(name, "Messages.", labels=("model",))
    with recording() as recorded:
        messages.inc(amount, **labels)
        assert recorded.value(name) == 0
        assert recorded.faults() == 1


def test_label_sets_beyond_the_cap_are_folded_and_counted() -> None:
    name = fresh_name("messages_total")
    messages = figwatch.counter(name, "Messages.", labels=("user",))
    with recording() as recorded:
        for number in range(SERIES_CAP + 5):
            messages.inc(user=number)
        assert recorded.value(name) == SERIES_CAP + 5
        assert recorded.value(name, user="__overflow__", served_by="") == 5
        assert recorded.value("figwatch_folded_label_values_total", metric=name) == 5


def test_a_label_value_is_cut_to_a_bounded_length() -> None:
    name = fresh_name("messages_total")
    with recording() as recorded:
        figwatch.counter(name, "Messages.", labels=("model",)).inc(model="x" * 10_000)
        assert recorded.value(name, model="x" * VALUE_LENGTH) == 1


def test_a_histogram_observes_in_its_unit() -> None:
    name = fresh_name("duration_ms")
    with recording() as recorded:
        figwatch.histogram(name, "Inference.").observe(12.5)
        assert recorded.value(name) == 1
        assert recorded.seconds(name) == 12.5


def test_a_timer_tells_ok_from_error_from_cancelled() -> None:
    name = fresh_name("duration_seconds")
    waits = figwatch.histogram(name, "Waits.", labels=("model", "outcome"))
    with recording() as recorded:
        with waits.time(model="small"):
            pass
        with pytest.raises(ValueError, match="boom"), waits.time(model="small"):
            raise ValueError("boom")
        with pytest.raises(asyncio.CancelledError), waits.time(model="small"):
            raise asyncio.CancelledError
        for outcome in ("ok", "error", "cancelled"):
            assert recorded.value(name, model="small", outcome=outcome) == 1
        assert recorded.faults() == 0


def test_a_histogram_of_times_has_an_outcome_without_being_asked() -> None:
    name = fresh_name("inference_duration_ms")
    inference = figwatch.histogram(name, "Inference.", unit="ms", labels=("model",))
    with recording() as recorded:
        with inference.time(model="m"):
            pass
        inference.observe(5, outcome="error", model="m")
        inference.observe(5, outcome="lost", model="m")
        assert recorded.value(name, model="m", outcome="ok") == 1
        assert recorded.value(name, model="m", outcome="error") == 1
        assert recorded.faults() == 1


def test_a_histogram_of_something_else_has_none() -> None:
    name = fresh_name("size_bytes")
    with recording() as recorded:
        figwatch.histogram(name, "Sizes.", buckets=(1, 2)).observe(1)
        with pytest.raises(KeyError, match="no label 'outcome'"):
            recorded.value(name, outcome="ok")


def test_a_business_metric_carries_the_side_of_the_request_being_served() -> None:
    name = fresh_name("messages_total")
    messages = figwatch.counter(name, "Messages.", labels=("channel",))
    with recording() as recorded:
        messages.inc(channel="web")
        with Edge().observe("GET", "/a", Decision(route_template="/a", side="shadow")):
            messages.inc(channel="web")
        assert recorded.value(name, channel="web", served_by="") == 1
        assert recorded.value(name, channel="web", served_by="shadow") == 1


def test_timing_with_a_histogram_of_bytes_is_counted_as_a_fault() -> None:
    name = fresh_name("size_bytes")
    with recording() as recorded:
        with figwatch.histogram(name, "Sizes.", buckets=(1, 2)).time():
            pass
        assert recorded.value(name) == 0
        assert recorded.faults() == 1


@pytest.mark.parametrize(
    ("declare", "says"),
    [
        (lambda: figwatch.counter("messages", "M."), "write 'messages_total'"),
        (lambda: figwatch.counter("9_total", "M."), "must be letters"),
        (lambda: figwatch.counter("figwatch_x_total", "M."), "belongs to the library"),
        (lambda: figwatch.counter("m_total", "M.", labels=("le",)), "cannot be a label"),
        (lambda: figwatch.counter("m_total", "M.", labels=("__x",)), "cannot be a label"),
        (lambda: figwatch.counter("m_total", "M.", labels=("served_by",)), "cannot be a label"),
        (lambda: figwatch.counter("m_total", "M.", labels=("a", "a")), "named twice"),
        (lambda: figwatch.counter("m_total", "M.", labels="model"), "is a sequence"),
        (lambda: figwatch.histogram("wait", "W.", unit="seconds"), "write 'wait_seconds'"),
        (lambda: figwatch.histogram("size", "S."), "give its buckets"),
        (lambda: figwatch.histogram("size", "S.", buckets=(2, 1)), "rising"),
        (lambda: figwatch.histogram("size", "S.", buckets=()), "rising"),
        (lambda: figwatch.histogram("size", "S.", buckets=(math.nan,)), "rising"),
        (lambda: figwatch.histogram("http_server_request_duration_seconds", "S."), "belongs to the library"),
    ],
)
def test_a_declaration_that_cannot_be_says_what_to_write(declare: object, says: str) -> None:
    assert callable(declare)
    with pytest.raises(DefinitionError, match=says):
        declare()
