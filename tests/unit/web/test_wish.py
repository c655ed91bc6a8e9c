"""From a body to a wish, or to everything that is wrong with it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figwatch_agent.durations import MINUTE, parse_instant
from figwatch_agent.model.command import CommandKind
from figwatch_agent.web.wish import BadWish, Wish, read_wish

NOW = 1_790_000_000_000


def read(**members: object) -> Wish:
    """The wish of these members."""
    return read_wish(json.dumps(members).encode(), NOW)


def problems(body: bytes) -> list[str]:
    """What is wrong with a body."""
    with pytest.raises(BadWish) as bad:
        read_wish(body, NOW)
    return bad.value.problems


def wish_or_problems(body: bytes) -> Wish | list[str]:
    """One or the other; any other exception is a failure."""
    try:
        return read_wish(body, NOW)
    except BadWish as bad:
        return bad.problems


def test_a_silence_counts_from_now() -> None:
    wish = read(kind="silence", subject="/api/v1/chat", why="moving", **{"for": "30m"})
    assert (wish.kind, wish.subject, wish.until) == (CommandKind.SILENCE, "/api/v1/chat", NOW + 30 * MINUTE)


def test_a_silence_may_name_its_end() -> None:
    wish = read(kind="silence", subject="x", why="y", until="2026-09-22T16:00:00+02:00")
    assert wish.until == parse_instant("2026-09-22T14:00:00Z")


def test_data_is_kept_in_the_order_of_its_names() -> None:
    assert read(kind="event", subject="chat", data={"b": "2", "a": "1"}).data == (("a", "1"), ("b", "2"))


def test_all_problems_are_named_at_once() -> None:
    found = problems(b'{"kind": "silense", "subjekt": "x", "for": "1 hour", "data": {"a": 1}}')
    assert len(found) == 5
    assert "did you mean subject?" in found[0]
    assert "did you mean silence?" in found[1]
    assert found[2].startswith("for: '1 hour' is not a duration")
    assert found[3] == "data is an object whose values are texts"
    assert found[4].startswith("subject is missing")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON in UTF-8"),
        (b"[1]", "is a JSON object"),
        (b'{"kind": NaN}', "NaN is not a number"),
        (b'{"kind": "event", "kind": "event"}', "given twice"),
        (b"[" * 60_000, "nested too deeply"),
        (b'{"kind": 7, "subject": "x"}', "kind is a text, not a number"),
        (b'{"kind": "event", "subject": "a\\nb"}', "control characters"),
        (b'{"kind": "event", "subject": "\\ud800"}', "half a character"),
        (b'{"kind": "event", "subject": "x", "data": {"a": "\\udfff"}}', "not plain text"),
        (b'{"kind": "event", "subject": "' + b"x" * 1001 + b'"}', "at most 1000"),
        (b'{"kind": "resolve", "subject": "x"}', "why is missing"),
        (b'{"kind": "approve", "subject": "x"}', "plan_digest is missing"),
        (b'{"kind": "silence", "subject": "x", "why": "y"}', "until or for is missing"),
        (b'{"kind": "silence", "subject": "x", "why": "y", "for": "5m", "until": "2026-09-22T00:00:00Z"}', "not both"),
        (b'{"kind": "silence", "subject": "x", "why": "y", "for": "0s"}', "in the future"),
        (b'{"kind": "silence", "subject": "x", "why": "y", "for": "31d"}', "at most 30 days"),
        (b'{"kind": "silence", "subject": "x", "why": "y", "until": "2026-09-22T00:00:00"}', "names no offset"),
        (b'{"kind": "silence", "subject": "x", "why": "y", "for": "' + b"9" * 30 + b'w"}', "at most 30 days"),
    ],
)
def test_a_body_that_is_no_wish_says_why(body: bytes, said: str) -> None:
    assert any(said in problem for problem in problems(body))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
MEMBERS = st.dictionaries(
    st.sampled_from(["kind", "subject", "why", "until", "for", "plan_digest", "data", "odd"]),
    JSON | st.sampled_from([kind.value for kind in CommandKind]) | st.just("30m"),
)


@given(MEMBERS)
def test_whatever_comes_is_a_wish_or_a_list_of_problems(members: dict[str, object]) -> None:
    found = wish_or_problems(json.dumps(members).encode())
    if isinstance(found, Wish):
        assert found.subject
        assert f"{found.subject}{found.why}".encode()  # a store can hold it
    else:
        assert found


@given(st.binary(max_size=200))
def test_bytes_that_are_no_json_are_refused_in_words(body: bytes) -> None:
    assert problems(body)
