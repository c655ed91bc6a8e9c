"""A query and the selectors it becomes count the same, whatever the counters say."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from figwatch_agent.files.foreign.pieces import query
from figwatch_agent.files.foreign.ratio import Found, sli_of_both, sli_of_counts, sli_of_ratio
from figwatch_agent.model.selector import Selector
from figwatch_agent.model.slo import Events, Histogram

Counts = Mapping[str, int]


class Sum(NamedTuple):
    """A sum of counters: its text, and which counters it adds."""

    text: str
    names: tuple[str, ...]

    def value(self, counts: Counts) -> int:
        return sum(counts[name] for name in self.names)


def counter(name: str) -> st.SearchStrategy[str]:
    """One counter, written in any of the usual ways."""
    ranged = st.sampled_from(("rate({}[{{{{.window}}}}])", "increase({}[5m])", "rate({}[ $__rate_interval ])")).map(
        lambda form: form.format(name)
    )
    around = st.sampled_from(
        (
            "sum({})",
            "sum by (job) ({})",
            "(sum({}))",
            "sum({}) or vector(0)",
            "(sum({}) or 0 * sum(rate(other[5m])))",
            "sum(sum without (pod) ({}))",
        )
    )
    return st.tuples(around, ranged).map(lambda pair: f"({pair[0].format(pair[1])})")


@st.composite
def sums(draw: st.DrawFn, prefix: str) -> Sum:
    names = tuple(f"{prefix}{index}" for index in range(draw(st.integers(1, 3))))
    return Sum(" + ".join(draw(counter(name)) for name in names), names)


COUNTS = st.lists(st.integers(1, 1000), min_size=12, max_size=12)


def counted(found: Found, counts: Counts) -> Fraction:
    """Bad events of all events, by the selectors."""
    assert isinstance(found.sli, Events)

    def total(selectors: tuple[Selector, ...]) -> int:
        return sum(counts[one.metric] for one in selectors)

    whole = total(found.sli.total)
    return Fraction(total(found.sli.bad) if found.sli.bad else whole - total(found.sli.good), whole)


def named(numbers: list[int]) -> dict[str, int]:
    return {f"{prefix}{index}": numbers[4 * place + index] for place, prefix in enumerate("abc") for index in range(4)}


@settings(max_examples=25)
@given(sums("a"), sums("b"), COUNTS)
def test_bad_of_total_and_good_of_total_count_the_same(part: Sum, total: Sum, numbers: list[int]) -> None:
    counts = named(numbers)
    ratio = Fraction(part.value(counts), total.value(counts))
    assert counted(sli_of_counts("bad", query(part.text), query(total.text)), counts) == ratio
    assert counted(sli_of_counts("good", query(part.text), query(total.text)), counts) == 1 - ratio


@settings(max_examples=25)
@given(sums("a"), sums("b"), COUNTS)
def test_a_difference_counts_what_is_left(good: Sum, total: Sum, numbers: list[int]) -> None:
    counts = named(numbers)
    ratio = 1 - Fraction(good.value(counts), total.value(counts))
    bad = query(f"({total.text}) - ({good.text})")
    assert counted(sli_of_counts("bad", bad, query(total.text)), counts) == ratio


@settings(max_examples=25)
@given(sums("a"), sums("b"), COUNTS)
def test_a_ratio_counts_the_same_in_every_form(part: Sum, total: Sum, numbers: list[int]) -> None:
    counts = named(numbers)
    ratio = Fraction(part.value(counts), total.value(counts))
    plain, guarded = f"({part.text}) / ({total.text})", f"(({part.text}) / (({total.text}) > 0)) or vector(0)"
    left = f"(({total.text}) - ({part.text})) / ({total.text})"
    assert counted(sli_of_ratio("bad", query(plain)), counts) == ratio
    assert counted(sli_of_ratio("bad", query(guarded)), counts) == ratio
    assert counted(sli_of_ratio("good", query(f"1 - ({plain})")), counts) == ratio
    assert counted(sli_of_ratio("good", query(left)), counts) == ratio


@settings(max_examples=25)
@given(sums("a"), sums("b"), COUNTS)
def test_good_and_bad_together_are_the_total(good: Sum, bad: Sum, numbers: list[int]) -> None:
    counts = named(numbers)
    found = sli_of_both(query(good.text), query(bad.text))
    assert counted(found, counts) == Fraction(bad.value(counts), bad.value(counts) + good.value(counts))


LABELS = st.lists(
    st.sampled_from(('job="a"', 'path!="x\\"y"', 'code=~"2..|3.."', 'pod!~".*\\\\.tmp"')), max_size=4, unique=True
)


@settings(max_examples=25)
@given(LABELS, st.decimals("0.001", "100", places=3).map(str), st.booleans())
def test_a_bucket_of_its_count_is_a_histogram(labels: list[str], bound: str, endless: bool) -> None:
    bucket = ",".join([*labels, f'le="{bound}"'])
    whole = ",".join([*reversed(labels), *(['le="+Inf"'] if endless else [])])
    good = f"sum(rate(h_bucket{{{bucket}}}[5m]))"
    total = f"sum(rate(h_{'bucket' if endless else 'count'}{{{whole}}}[5m]))"
    for found in (sli_of_counts("good", query(good), query(total)), sli_of_ratio("good", query(f"{good} / {total}"))):
        assert isinstance(found.sli, Histogram)
        assert found.sli.threshold == Fraction(bound)
        assert [one.metric for one in found.sli.selectors] == ["h"]
        assert len(found.sli.selectors[0].matchers) == len(labels)
