"""Whatever stands in a file of another tool, people get problems with places in it or a file that passes the check."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from figwatch_agent.files.diagnostics import render
from support.foreign import SPECS, imported, read_back

SOME = (
    *("on", "1:30", "null", "[]", "{}", "- x", "&a", "*a", "!!int", "<<: {}", "99.9", "100", "0", "-1", "1e999"),
    *("9" * 300, "30d", "0m", "4w", "1M", "999999d", "&x y", "? [a]", '"\\uD800"', "'", "\t", "\x1b", "a: b: c"),
    *("---", "\n---\n", "\n...\n", "sum(", "rate(x[5m])", "[{{.window}}]", "{{", "}}", "$window", "${X}", "1 - "),
    *(" / ", " or vector(0)", 'le="0.3"', '{a="b" or c="d"}', "x offset 5m", "vector(0)", "time()", '"text"'),
    *("kind: List", "items:", "raw", "events", "total", "true", "\u2028", "\x85", "prometheus/v1", "openslo/v1"),
)
QUERIES = ("x offset 1m", "x @ end()", 'x{a="1"} offset -1m', "x[5m] offset 1m", "x offset", "sum(x)", "1 - x / y", "[")
PIECES = st.sampled_from(SOME + QUERIES)
NOISE = st.text(st.sampled_from("ab1:-{}[],&*!|>'\"#%@`?<~. \t\n\r\x00\x85\u2028é\U0001f335"), max_size=30)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(sorted(SPECS.values())))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 15)))
        text = text[:start] + draw(st.one_of(PIECES, NOISE)) + text[end:]
    return text


@st.composite
def replaced(draw: st.DrawFn) -> str:
    """One value of a spec is another one."""
    lines = draw(st.sampled_from(sorted(SPECS.values()))).split("\n")
    index = draw(st.integers(0, len(lines) - 1))
    key, colon, _ = lines[index].partition(": ")
    lines[index] = key + colon + draw(PIECES)
    return "\n".join(lines)


def judged(*texts: str | bytes) -> None:
    found = imported(*texts)
    assert not found.files or not found.problems()
    render(found.diagnostics)
    for one in found.diagnostics:
        assert one.message
        assert one.line >= 1
        assert one.column >= 1
    if found.files:
        read_back(found)


@settings(max_examples=40)
@given(mutated())
def test_a_good_spec_with_changes_never_gives_a_traceback(text: str) -> None:
    judged(text.encode("utf-8", "replace"))


@settings(max_examples=40)
@given(replaced())
def test_any_value_in_any_place_of_a_good_spec_never_gives_a_traceback(text: str) -> None:
    judged(text.encode("utf-8", "replace"))


@settings(max_examples=40)
@given(st.one_of(st.binary(max_size=120), NOISE.map(str.encode)))
def test_bytes_never_give_a_traceback(content: bytes) -> None:
    judged(content)


@settings(max_examples=10)
@given(mutated(), mutated())
def test_specs_with_changes_are_read_together_without_a_traceback(one: str, other: str) -> None:
    judged(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


@pytest.mark.slow
@pytest.mark.parametrize("spec", sorted(SPECS))
def test_every_query_in_every_place_of_a_good_spec_never_gives_a_traceback(spec: str) -> None:
    lines = SPECS[spec].split("\n")
    for index, line in enumerate(lines):
        key, colon, _ = line.partition(": ")
        for piece in QUERIES:
            judged("\n".join([*lines[:index], key + colon + piece, *lines[index + 1 :]]).encode("utf-8", "replace"))


@pytest.mark.slow
@settings(max_examples=600)
@given(st.one_of(mutated(), replaced()))
def test_no_spec_with_changes_ever_gives_a_traceback(text: str) -> None:
    judged(text.encode("utf-8", "replace"))
