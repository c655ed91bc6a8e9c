"""What is current: span and request beside whatever else the context carries."""

from opentelemetry import baggage, context, trace

from figwatch.current import context_of, current, current_span, detach, make_current
from figwatch.tracing import open_span


def test_span_and_request_are_current_until_they_are_detached() -> None:
    span, request = open_span(None, None), object()
    token = make_current(context_of(span, request))
    try:
        assert trace.get_current_span() is span
        assert current_span() is span
        assert current() is request
    finally:
        detach(token)
    assert current() is None
    assert current_span() is None


def test_what_the_context_carried_before_stays() -> None:
    outer = context.attach(baggage.set_baggage("tenant", "blue"))
    token = make_current(context_of(open_span(None, None), object()))
    try:
        assert baggage.get_baggage("tenant") == "blue"
    finally:
        detach(token)
        context.detach(outer)


def test_a_child_span_hides_ours_and_leaves_the_request() -> None:
    request = object()
    token = make_current(context_of(open_span(None, None), request))
    try:
        with trace.use_span(trace.NonRecordingSpan(trace.SpanContext(1, 2, False))) as child:
            assert trace.get_current_span() is child
            assert current() is request
    finally:
        detach(token)


def test_what_others_set_on_top_is_a_context_of_their_own() -> None:
    token = make_current(context_of(open_span(None, None), object()))
    try:
        before = context.get_current()
        inner = context.attach(context.set_value("key", "value"))
        assert context.get_value("key") == "value"
        context.detach(inner)
        assert context.get_current() is before
    finally:
        detach(token)
