"""What a look asks an engine for: all that is wanted, in few queries."""

from __future__ import annotations

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from figwatch_agent.model.selector import Matcher, Selector
from figwatch_agent.sources.prometheus_queries import MOST_QUERIES, over, queries


def selector(metric: str, **labels: str) -> Selector:
    """A metric and labels by equality."""
    return Selector(
        metric=metric, matchers=tuple(Matcher(label=k, operator="=", value=v) for k, v in sorted(labels.items()))
    )


def test_selectors_of_one_metric_are_one_query_narrowed_where_all_agree_on_the_label() -> None:
    asked = queries([selector("a_total", code="500", job="x"), selector("a_total", code="200", job="x")])
    assert asked == ('{__name__="a_total",code=~"200|500",job="x"}',)


def test_a_label_that_one_selector_leaves_open_narrows_nothing() -> None:
    assert queries([selector("a_total", code="500"), selector("a_total")]) == ('{__name__="a_total"}',)


def test_a_matcher_that_is_no_equality_narrows_nothing() -> None:
    other = Selector(metric="a_total", matchers=(Matcher(label="code", operator="=~", value="5.."),))
    assert queries([other]) == ('{__name__="a_total"}',)


def test_a_thousand_slos_are_asked_for_in_at_most_fourteen_queries() -> None:
    wanted = [selector(f"m{n}_total", job="x") for n in range(1000)]
    asked = queries(wanted)
    assert len(asked) <= MOST_QUERIES
    assert all('job="x"' in query for query in asked)


def test_no_selectors_are_no_queries() -> None:
    assert queries([]) == ()


def test_a_window_is_written_in_whole_milliseconds() -> None:
    assert over('{__name__="a"}', 75_001) == '{__name__="a"}[75001ms]'


VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=12)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), VALUES), min_size=1, max_size=12), st.integers(1, 4))
def test_whatever_stands_in_a_label_every_wanted_series_passes_one_of_the_queries(
    wanted: list[tuple[str, str]], most: int
) -> None:
    asked = queries([selector(metric, route=value) for metric, value in wanted], most)
    assert len(asked) <= most
    trees = [promql_parser.parse(query) for query in asked]
    for metric, value in wanted:
        assert any(_passes(tree, metric, value) for tree in trees), (metric, value, asked)


def _passes(tree: object, metric: str, value: str) -> bool:
    """Whether a series of this metric and route passes the vector selector, as RE2 reads its patterns."""
    labels = {"__name__": metric, "route": value}
    matchers = tree.matchers.matchers  # type: ignore[attr-defined]  # the parser carries no types
    return all(_alternatives(each) >= {labels[each.name]} for each in matchers)


def _alternatives(matcher: object) -> set[str]:
    if str(matcher.op) == "MatchOp.Equal":  # type: ignore[attr-defined]  # as above
        return {matcher.value}  # type: ignore[attr-defined]  # as above
    found, current, escaped = set(), "", False
    for letter in matcher.value:  # type: ignore[attr-defined]  # as above
        if not escaped and letter == "\\":
            escaped = True
        elif not escaped and letter == "|":
            found.add(current)
            current = ""
        else:
            assert escaped or letter not in r"\.+*?()|[]{}^$", f"{letter} means something to RE2"
            current, escaped = current + letter, False
    return {*found, current}


@pytest.mark.parametrize("value", ["a|b", "a.b", 'a"b', "a\\b", "/api/{id}", "a\nb", "(x)", "^$"])
def test_a_value_that_means_something_to_a_pattern_is_taken_as_it_is(value: str) -> None:
    (query,) = queries([selector("a", route=value), selector("a", route="z")])
    assert _passes(promql_parser.parse(query), "a", value)
