"""Texts become an event, or everything that is wrong with them is told at once."""

from __future__ import annotations

from fractions import Fraction

import pytest

from figwatch_agent.durations import DAY, MINUTE
from figwatch_agent.model.event import FARTHEST, Event, EventInvalid, EventKind, content_id, exact, read_event
from figwatch_agent.model.telling import command_of
from support.model_values import NOON


def read(kind: str = "deployment", at: str | int = NOON, id_: str = "d1", **fields: str) -> Event:
    """An event told at noon."""
    return read_event(kind, fields, id_=id_, at=at, actor="ann", now=NOON)


def problems(kind: str = "deployment", at: str | int = NOON, id_: str = "d1", **fields: str) -> dict[str, str]:
    """By field."""
    with pytest.raises(EventInvalid) as caught:
        read(kind, at, id_, **fields)
    return dict(caught.value.problems)


def test_fields_are_kept_as_given_and_read_as_exact_numbers() -> None:
    event = read("satisfaction", value="4.35", unit="points", note="")
    assert event.fields == (("unit", "points"), ("value", "4.35"))
    assert event.number("value") == Fraction(435, 100)
    assert event.number("checked") is None


def test_an_instant_may_be_written_with_its_offset() -> None:
    assert read(service="chat", at="2026-11-22T13:00:00+01:00").at == NOON


@pytest.mark.parametrize(
    ("kind", "fields", "field", "said"),
    [
        ("deployment", {}, "service", "needs it"),
        ("deployment", {"service": "chat", "status": "ok"}, "status", "success, failure"),
        ("deployment", {"service": "chat", "versoin": "1"}, "versoin", "did you mean version?"),
        ("deployment", {"service": "a\x1bb"}, "service", "printable"),
        ("deployment", {"service": "x" * 201}, "service", "200"),
        ("consistency", {"checked": "3", "mismatched": "4"}, "mismatched", "more records differ"),
        ("consistency", {"checked": "-3", "mismatched": "0"}, "checked", "whole number"),
        ("lag", {"seconds": "-1"}, "seconds", "at least 0"),
        ("satisfaction", {"value": "nan"}, "value", "number"),
        ("satisfaction", {"value": "1e9"}, "value", "number"),
        ("satisfaction", {"value": "٣"}, "value", "number"),
        ("satisfaction", {"value": "9" * 31}, "value", "number"),
    ],
)
def test_what_is_wrong_is_said_of_its_field(kind: str, fields: dict[str, str], field: str, said: str) -> None:
    assert said in problems(kind, **fields)[field]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    assert set(problems("consistency", at="yesterday", id_="", checked="x")) == {"checked", "mismatched", "at", "id"}


@pytest.mark.parametrize(("at", "said"), [(NOON + MINUTE + 1, "future"), (NOON - FARTHEST - 1, "long ago")])
def test_an_event_happened_in_the_known_past(at: int, said: str) -> None:
    assert said in problems(at=at, service="chat")["at"]
    assert read(at=NOON + MINUTE, service="chat").at == NOON + MINUTE


def test_an_unknown_kind_names_the_nearest() -> None:
    assert "did you mean deployment?" in problems("deploy")["kind"]
    assert "there are deployment" in problems("zzz")["kind"]


def test_the_same_event_by_any_way_is_the_same_wish() -> None:
    event = read(service="chat", version="1")
    first = command_of(event, origin="cli", taken_at=NOON)
    second = command_of(event, origin="api 127.0.0.1", taken_at=NOON + DAY, user="bob")
    assert first.id == second.id == "event:deployment/chat/success/d1"
    assert dict(second.data)["user"] == "bob"
    assert event.kind is EventKind.DEPLOYMENT


def test_an_id_made_of_the_content_is_the_same_for_the_same_content_only() -> None:
    same = content_id("lag", "2026-11-22T12:00:00Z", {"seconds": "1", "note": ""})
    assert same == content_id("lag", "2026-11-22T12:00:00Z", {"seconds": "1"})
    assert same != content_id("lag", "2026-11-22T12:00:00Z", {"seconds": "2"})


@pytest.mark.parametrize("text", ["", "1/3", "inf", "1e999999999", "0x1"])
def test_a_number_is_written_plainly(text: str) -> None:
    with pytest.raises(ValueError, match="is a number"):
        exact(text)
