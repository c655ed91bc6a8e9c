"""W3C trace context and the light span."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from figwatch.span_queue import SpanQueue
from figwatch.span_record import SpanRecord
from figwatch.tracing import LightSpan, open_span, outgoing, trace_id

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
CALLER = f"00-{TRACE}-{SPAN}-01".encode()


@pytest.mark.parametrize(
    ("value", "flags"),
    [
        (f"00-{TRACE}-{SPAN}-01", 1),
        (f"00-{TRACE}-{SPAN}-00", 0),
        (f"cc-{TRACE}-{SPAN}-01", 1),  # a later version
        (f"cc-{TRACE}-{SPAN}-01-more", 1),  # a later version may go on
        (f"00-{TRACE}-{SPAN}-01-more", None),  # version 00 may not
        (f"cc-{TRACE}-{SPAN}-01more", None),
        (f"ff-{TRACE}-{SPAN}-01", None),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-{SPAN}-01", None),
        (f"00-{TRACE}-{SPAN}-1", None),
        (f" 00-{TRACE}-{SPAN}-01", None),
        (f"00-{TRACE}-{SPAN}-01\n", None),
        (f"00-{TRACE}-{SPAN}-01,00-{TRACE}-{SPAN}-01", None),  # sent twice
        ("", None),
    ],
)
def test_traceparent_is_read_by_the_recommendation(value: str, flags: int | None) -> None:
    span = open_span(value, None)
    assert (span.trace_id == TRACE, span.parent_id) == ((False, "") if flags is None else (True, SPAN))
    assert span.flags == (1 if flags is None else flags & 3)


HEX = st.sampled_from("0123456789abcdefA- x_\n")
NEARLY = st.builds("{}-{}-{}-{}".format, *(st.text(HEX, min_size=size, max_size=size) for size in (2, 32, 16, 2)))


def by_the_recommendation(value: str) -> bool:
    """Version 00 and later ones, in a pattern of their own."""
    ids = r"(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
    return re.fullmatch(rf"00-{ids}|(?!00|ff)[0-9a-f]{{2}}-{ids}(-.*)?", value) is not None


@given(NEARLY)
@example(f"00-{'0' * 31}1-{'0' * 15}1-01")
@example(f"00-{'1' + '0' * 31}-{'1' + '0' * 15}-01")
@example(f"0a-{TRACE}-{SPAN}-01")
@example(f"a0-{TRACE}-{SPAN}-01")
@example(f"00-{TRACE}-{SPAN}-0A")
@example(f"00-{TRACE}-{SPAN}-0\u0661")
def test_a_traceparent_is_believed_if_and_only_if_the_pattern_says_so(value: str) -> None:
    assert (open_span(value, None).trace_id == value[3:35]) == by_the_recommendation(value)


def test_a_span_id_is_drawn_when_somebody_asks_and_then_stays() -> None:
    spans = [open_span(f"00-{TRACE}-{SPAN}-01", None) for _ in range(2)]
    assert len({span.span_id for span in spans} | {span.span_id for span in spans}) == 2
    assert "0" * 16 not in {span.span_id for span in spans}


@given(st.text(alphabet="0123456789abcdefAF-x ", max_size=60))
def test_whatever_is_sent_as_traceparent_a_valid_span_comes_out(value: str) -> None:
    span = open_span(value, None)
    assert span.get_span_context().is_valid


def test_a_callers_trace_is_continued_with_a_span_of_our_own() -> None:
    span = open_span(f"00-{TRACE}-{SPAN}-01", "vendor=1")
    span.number = 7
    assert span.trace_id == TRACE
    assert span.parent_id == SPAN
    assert span.span_id == "0000000000000007"
    assert span.headers() == [("traceparent", f"00-{TRACE}-0000000000000007-01"), ("tracestate", "vendor=1")]


def test_a_caller_that_does_not_sample_is_obeyed() -> None:
    assert open_span(f"00-{TRACE}-{SPAN}-00", None).flags == 0


def test_a_tracestate_beyond_what_must_be_carried_is_dropped() -> None:
    assert open_span(f"00-{TRACE}-{SPAN}-01", "v=" + "x" * 600).tracestate == ""


def test_a_tracestate_without_a_valid_traceparent_is_dropped() -> None:
    assert open_span("nonsense", "vendor=1").tracestate == ""


def test_opentelemetry_sees_the_light_span_as_the_current_one() -> None:
    span = open_span(f"00-{TRACE}-{SPAN}-01", "vendor=1")
    with trace.use_span(span):
        carrier: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carrier)
        assert trace.get_current_span() is span
        assert trace_id() == TRACE
        assert dict(outgoing()) == carrier


def test_a_span_of_the_real_sdk_inside_a_request_becomes_the_parent_of_outgoing_calls() -> None:
    foreign = trace.NonRecordingSpan(trace.SpanContext(int(TRACE, 16), int(SPAN, 16), False, trace.TraceFlags(1)))
    with trace.use_span(foreign):
        assert outgoing() == [("traceparent", f"00-{TRACE}-{SPAN}-01")]
        assert trace_id() == TRACE


def test_outside_of_a_request_nothing_is_sent_on() -> None:
    assert outgoing() == []
    assert trace_id() is None


def record(number: int) -> SpanRecord:
    span = LightSpan(CALLER, 1, number=number)
    return SpanRecord(span, ("GET", "/", "200", "", "service", "application"), "/", "x", 1, 0.0)


def test_a_full_queue_drops_the_newest_and_says_so() -> None:
    dropped: list[int] = []
    queue = SpanQueue(dropped.append, length=2)
    for number in (1, 2, 3):
        queue.put(record(number))
    assert [span.span_id[-1] for span in queue.take(10)] == ["1", "2"]
    assert dropped == [1]
    assert queue.take(10) == []


def test_the_light_span_keeps_what_is_written_on_it() -> None:
    span = LightSpan(CALLER, 1)
    span.recording = True
    span.set_attribute("a", 1)
    span.set_attributes({"b": "two"})
    assert span.write().attributes == {"a": 1, "b": "two"}


def test_a_span_that_nobody_reads_keeps_nothing() -> None:
    span = LightSpan(CALLER, 0)
    span.set_attribute("a", 1)
    span.end()
    assert span.notes is None
