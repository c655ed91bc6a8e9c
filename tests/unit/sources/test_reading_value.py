"""What of a gateway's answer counts, and in which words."""

import pytest

from figwatch_agent.sources.reading_value import reading_value

ANSWER = b'{"b": {"c": [1, {"d": "\xc3\xa9"}]}, "a": null, "n": 1.50}'


def test_members_are_found_through_objects_and_lists() -> None:
    assert reading_value(ANSWER, ("b.c.1.d", "a", "b.c.0")) == '{"a":null,"b.c.0":1,"b.c.1.d":"é"}'


def test_without_fields_the_whole_answer_counts() -> None:
    assert reading_value(ANSWER, ()) == '{"a":null,"b":{"c":[1,{"d":"é"}]},"n":1.5}'


def test_order_and_spacing_of_the_answer_change_nothing() -> None:
    assert reading_value(b'{"x":1,\n "y":2}', ()) == reading_value(b' {"y": 2, "x": 1}', ())


@pytest.mark.parametrize(
    ("body", "field", "why"),
    [
        (ANSWER, "z", "no member 'z'"),
        (ANSWER, "b.z", "no member 'b.z'"),
        (ANSWER, "b.c.2", "no member 'b.c.2'"),
        (ANSWER, "b.c.-1", "no member"),
        (ANSWER, "a.b", "no member"),
        (b"", "a", "not JSON"),
        (b"\xff", "a", "cannot be kept"),
        (b'{"a": Infinity}', "a", "Infinity"),
        (b'{"a": "\\ud800"}', "a", "cannot be kept"),
        (b"[" * 100_000, "0", "cannot be kept"),
        (b'{"a": "' + b"x" * 70_000 + b'"}', "a", "fewer fields"),
    ],
)
def test_an_answer_that_does_not_say_what_counts_is_refused(body: bytes, field: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        reading_value(body, (field,))
