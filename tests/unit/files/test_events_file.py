"""A CSV of events is read whole or not at all, and every problem names its line and column."""

from __future__ import annotations

import pytest

from figwatch_agent.files.diagnostics import Diagnostic, render
from figwatch_agent.files.events_file import read_events
from figwatch_agent.model.event import Event
from support.model_values import NOON

AT = "2026-11-01T12:00:00Z"


def read(text: str | bytes) -> tuple[list[Event], list[Diagnostic]]:
    """A file told at noon."""
    data = text if isinstance(text, bytes) else text.encode()
    return read_events("events.csv", data, actor="ann", now=NOON)


def places(text: str | bytes) -> list[tuple[int, int, str]]:
    """Where the problems are, and what they are."""
    events, problems = read(text)
    assert problems or events
    return sorted((each.line, each.column, each.message) for each in problems)


def test_events_come_in_the_order_of_the_file() -> None:
    head = "\ufeffkind,at,id,service,version,note\r\n"
    text = head + f'deployment,{AT},d1,chat,1.2,"so, good"\r\n\r\ndeployment,{AT},d2,chat,,\r\n'
    events, problems = read(text)
    assert problems == []
    assert [(each.id, each.get("note"), each.get("version")) for each in events] == [
        ("d1", "so, good", "1.2"),
        ("d2", "", ""),
    ]


def test_the_same_line_has_the_same_id_whenever_it_is_read() -> None:
    text = f"kind,at,value\nsatisfaction,{AT},4\nsatisfaction,{AT},5\n"
    first, second = read(text)[0], read(text)[0]
    assert [each.id for each in first] == [each.id for each in second]
    assert len({each.id for each in first}) == 2


def test_all_problems_are_found_at_once_with_line_and_column() -> None:
    text = f"kind,at,service,value\ndeploy,{AT},chat,\ndeployment,soon,,\nsatisfaction,{AT},,4\nlag,{AT},,9\n"
    found = places(text)
    assert [(line, column) for line, column, _ in found] == [(2, 1), (3, 12), (3, 17), (5, 1), (5, 27)]
    assert "did you mean deployment?" in found[0][2]


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("", 1, 1, "names no columns"),
        ("kind,at\n", 1, 1, "holds no event"),
        ("kind,at,servce\n", 1, 9, 'no column "servce"'),
        ("kind,at,kind\n", 1, 9, "twice"),
        ("kind,service\n", 1, 1, '"at" is missing'),
        (f"kind,at,service\ndeployment,{AT}\n", 2, 12, "2 cells"),
        (f'kind,at,service\ndeployment,{AT},"a\nb"\n', 2, 33, "not closed"),
        (b"kind,at\nlag,\xff\n", 2, 1, "not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(text: str | bytes, line: int, column: int, said: str) -> None:
    found = places(text)
    assert any(said in message for _, _, message in found), found
    assert (found[0][0], found[0][1]) == (line, column)


def test_problems_are_shown_with_their_line_and_a_caret() -> None:
    shown = render(read("kind,at\nlag,soon\n")[1])
    assert "events.csv:2:5:" in shown
    assert " 2 | lag,soon" in shown
