"""The cached parser agrees with prometheus_client's, whatever it has seen before."""

import math
from collections.abc import Iterable
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families as text_families

from figwatch_agent.model.batch import SeriesTable
from figwatch_agent.sources.exposition_cache import MalformedPage, Page, PageParser
from support.pages import everything, of_lines, text_pages

Rows = list[tuple[str, tuple[tuple[str, str], ...], float]]


def rows(page: Page) -> Rows:
    return [(one.name, one.labels, value) for one, value in zip(page.table.series, page.values.tolist(), strict=True)]


def counts(families: Iterable[Metric]) -> Rows:
    samples = [sample for family in families for sample in family.samples]
    return [
        (sample.name, tuple(sorted(sample.labels.items())), float(sample.value))
        for sample in samples
        if math.isfinite(sample.value) and sample.value >= 0
    ]


@given(pages=st.lists(text_pages(), min_size=1, max_size=4), again=st.booleans())
@settings(max_examples=150)
def test_every_page_reads_as_prometheus_client_reads_it(pages: list[str], again: bool) -> None:
    parser = PageParser(everything)
    for page in [*pages, *pages] if again else pages:
        parsed = parser.parse(page.encode())

        assert rows(parsed) == counts(text_families(page))


@given(page=text_pages(), times=st.integers(2, 4))
@settings(max_examples=60)
def test_a_page_read_again_gives_the_same_rows_and_the_same_table(page: str, times: int) -> None:
    parser = PageParser(everything)
    first = parser.parse(page.encode())

    for _ in range(times):
        again = parser.parse(page.encode())
        assert again.table is first.table or first.left_out > 0
        assert rows(again) == rows(first)
        assert again.created.tolist() == first.created.tolist()


@given(page=text_pages(), wanted=st.frozensets(st.sampled_from(["a", "a_total", "up", "h_bucket", "z9_total"])))
@settings(max_examples=60)
def test_what_is_not_wanted_is_left_away_and_changes_nothing_else(page: str, wanted: frozenset[str]) -> None:
    parser = PageParser(wanted)

    for _ in range(3):
        parsed = parser.parse(page.encode())
        assert rows(parsed) == [row for row in counts(text_families(page)) if row[0] in wanted]


@given(page=st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)))
def test_a_page_of_garbage_is_refused_or_read_but_breaks_nothing(page: bytes) -> None:
    parser = PageParser(everything)
    parser.parse(of_lines("up 1"))
    with suppress(MalformedPage):
        parser.parse(page)

    assert rows(parser.parse(of_lines("up 1"))) == [("up", (), 1.0)]


@given(text=text_pages(), cut=st.integers(0, 400))
@settings(max_examples=60)
def test_a_page_that_was_cut_off_never_yields_what_another_reader_would_not_see(text: str, cut: int) -> None:
    warm = PageParser(everything)
    for _ in range(2):
        warm.parse(text.encode())
    part = text.encode()[:cut]

    assert _outcome(warm, part) == _outcome(PageParser(everything), part)


def _outcome(parser: PageParser, page: bytes) -> Rows | str:
    try:
        return rows(parser.parse(page))
    except MalformedPage as malformed:
        return str(malformed).partition(":")[0]  # the line; what is wrong with half a line has several names


BUCKETS = ("0.1", "1.0", "+Inf")


@st.composite
def openmetrics_pages(draw: st.DrawFn) -> str:
    """A counter and a histogram, with exemplars and created-timestamps as they come."""
    exemplar = st.sampled_from(["", ' # {trace_id="a b}"} 0.5', " # {} 1 1700000000.5"])
    timestamp = draw(st.sampled_from(["", " 1700000000.25"]))
    lines = ["# TYPE jobs counter", "# HELP jobs Jobs."]
    for kind in draw(st.lists(st.sampled_from(["x", 'a"b', "c d", "#"]), unique=True, max_size=3)):
        label = '{kind="' + kind.replace('"', '\\"') + '"}'
        lines.append(f"jobs_total{label} {draw(st.integers(0, 10**9))}{timestamp}{draw(exemplar)}")
        if draw(st.booleans()):
            lines.append(f"jobs_created{label} 1700000000.125{timestamp}")
    lines.append("# TYPE h histogram")
    total = 0
    for bound in BUCKETS:
        total += draw(st.integers(0, 100))
        lines.append(f'h_bucket{{le="{bound}"}} {total}{draw(exemplar)}')
    lines += [f"h_count {total}", f"h_sum {draw(st.floats(0, 1e6))}", "h_created 1700000001.5", "# EOF"]
    return "".join(line + "\n" for line in lines)


@given(pages=st.lists(openmetrics_pages(), min_size=1, max_size=3))
@settings(max_examples=60)
def test_openmetrics_pages_read_as_prometheus_client_reads_them(pages: list[str]) -> None:
    parser = PageParser(everything)
    tables: list[SeriesTable] = []
    for page in [*pages, *pages[-1:], *pages[-1:]]:
        parsed = parser.parse(page.encode(), openmetrics=True)
        tables.append(parsed.table)
        assert rows(parsed) == counts(openmetrics_families(page))  # type: ignore[no-untyped-call]  # it has no annotations

    assert tables[-1] is tables[-2]
