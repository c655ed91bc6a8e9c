"""What a handler writes on the span of its request."""

from typing import Any

import pytest
from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext, Status, StatusCode

from figwatch.notes import ATTRIBUTE_CAP, EVENT_CAP, LINK_CAP, Notes


@pytest.mark.parametrize(
    ("value", "kept"),
    [(True, True), (3, 3), (0.5, 0.5), ("x", "x"), (b"x", "x"), (["a", 1], ("a", 1)), (("a", None), ("a",))],
)
def test_a_value_is_kept_as_opentelemetry_carries_it(value: Any, kept: object) -> None:
    notes = Notes()
    notes.set("key", value)
    assert notes.attributes == {"key": kept}


@pytest.mark.parametrize("value", [None, {"a": 1}, object()])
def test_what_cannot_be_carried_is_dropped_and_counted(value: object) -> None:
    notes = Notes()
    notes.set("key", value)
    assert (notes.attributes, notes.dropped) == ({}, 1)


def test_a_list_that_changes_later_does_not_reach_the_span() -> None:
    notes, tags = Notes(), ["a"]
    notes.set("tags", tags)
    tags.append("b")
    assert notes.attributes["tags"] == ("a",)


def test_nothing_grows_beyond_its_cap() -> None:
    notes, other = Notes(), SpanContext(1, 1, False)
    for number in range(300):
        notes.set(f"key{number}", number)
        notes.add_event("event", None, None)
        notes.add_link(other, None)
    notes.set("key0", "replaced")
    assert (len(notes.attributes), len(notes.events), len(notes.links)) == (ATTRIBUTE_CAP, EVENT_CAP, LINK_CAP)
    assert notes.attributes["key0"] == "replaced"
    assert notes.dropped == 3 * 300 - ATTRIBUTE_CAP - EVENT_CAP - LINK_CAP


def test_an_exception_is_an_event_with_what_it_said() -> None:
    notes = Notes()
    notes.add_exception(ValueError("boom"), {"order": 7}, 5, escaped=False)
    (event,) = notes.events
    assert (event.name, event.timestamp) == ("exception", 5)
    assert event.attributes["exception.type"] == "ValueError"
    assert event.attributes["exception.message"] == "boom"
    assert event.attributes["order"] == 7


def test_ok_is_final_and_unset_says_nothing() -> None:
    notes = Notes()
    notes.set_status(StatusCode.ERROR, "late")
    notes.set_status(StatusCode.UNSET, None)
    assert (notes.status, notes.description) == (StatusCode.ERROR, "late")
    notes.set_status(Status(StatusCode.OK), None)
    notes.set_status(StatusCode.ERROR, "too late")
    assert (notes.status, notes.description) == (StatusCode.OK, "")


def test_a_link_to_nothing_is_none() -> None:
    notes = Notes()
    notes.add_link(INVALID_SPAN_CONTEXT, None)
    assert notes.links == []
