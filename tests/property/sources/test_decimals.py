"""Numbers that are weighed column by column are what float() makes of each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figwatch_agent.sources.decimals import NoNumber, numbers_of

numbers = st.one_of(
    st.integers(0, 10**19).map(str),
    st.decimals(0, 10**12, allow_nan=False, allow_infinity=False, places=3).map(lambda one: f"{one:f}"),
    st.floats(0, 1e18, allow_nan=False).map(repr),
    st.sampled_from(["0", "5.", ".5", "-1", "+Inf", "1e5", "007", "0.1", "9007199254740993"]),
)
nonsense = st.text(st.sampled_from("0123456789.eE+-_ x\0"), min_size=1, max_size=8)


@given(st.lists(numbers, min_size=1, max_size=120))
def test_many_numbers_are_each_what_float_says(texts: list[str]) -> None:
    assert numbers_of([text.encode() for text in texts]).tolist() == [float(text) for text in texts]


@given(st.lists(numbers, max_size=20), nonsense)
def test_what_is_no_number_is_named_and_nothing_else_is_refused(texts: list[str], last: str) -> None:
    try:
        valid = "_" not in last and last == last.strip()
        expected = float(last) if valid else None
    except ValueError:
        expected = None
    raw = [text.encode() for text in (*texts, last)]
    if expected is None:
        with pytest.raises(NoNumber) as raised:
            numbers_of(raw)
        assert raised.value.index == len(texts)
    else:
        found = numbers_of(raw)[-1]
        assert found == expected
