"""What the cached parser promises beyond equal results: identity, dates, families, and clear refusals."""

import numpy as np
import pytest

from figwatch_agent.model.batch import Series
from figwatch_agent.sources import exposition_cache
from figwatch_agent.sources.exposition_cache import MalformedPage, PageParser
from support.pages import everything, named, of_lines


def test_the_table_is_the_same_object_while_the_page_keeps_its_series() -> None:
    parser = PageParser(everything)
    tables = [parser.parse(of_lines("# TYPE a counter", f'a{{b="c"}} {n}', f"d {n}")).table for n in range(5)]

    assert all(table is tables[0] for table in tables)


def test_the_table_is_the_same_object_while_only_unwanted_lines_change() -> None:
    parser = PageParser(frozenset({"a"}))
    pages = [of_lines("a 1", "other 1"), of_lines("other{x='1'} 9", "a 2", "# other"), of_lines("other 5", "a 3")]
    tables = [parser.parse(page).table for page in pages]

    assert all(table is tables[0] for table in tables)


def test_a_series_more_gives_a_table_more() -> None:
    parser = PageParser(everything)
    before = parser.parse(of_lines("a 1")).table
    after = parser.parse(of_lines("a 1", "b 1")).table

    assert [one.name for one in before.series] == ["a"]
    assert [one.name for one in after.series] == ["a", "b"]


def test_series_in_another_order_give_another_table() -> None:
    parser = PageParser(everything)
    before = parser.parse(of_lines("a 1", "b 2"))
    after = parser.parse(of_lines("b 2", "a 1"))

    assert before.table is not after.table
    assert after.values.tolist() == [2.0, 1.0]


def test_a_changed_label_is_seen_though_the_page_keeps_its_length() -> None:
    parser = PageParser(everything)
    for n in range(3):
        parser.parse(of_lines(f'a{{b="x  y"}} {n}'))

    assert parser.parse(of_lines('a{b="x y "} 3')).table.series == (Series(name="a", labels=(("b", "x y "),)),)


def test_two_lines_are_not_taken_for_one_with_a_line_end_for_a_value() -> None:
    parser = PageParser(everything)
    for n in range(3):
        parser.parse(of_lines(f"a {n}", "b 1"))

    with pytest.raises(MalformedPage):
        parser.parse(b"a\n5\nb 1\n")


def test_values_that_are_no_counts_are_left_out_and_counted() -> None:
    parser = PageParser(everything)
    page = parser.parse(of_lines("a NaN", "b 1", "c +Inf", "d -2", "e -Inf", "f 3"))

    assert [one.name for one in page.table.series] == ["b", "f"]
    assert page.values.tolist() == [1.0, 3.0]
    assert page.left_out == 4


def test_a_page_that_always_has_the_same_gap_keeps_its_table() -> None:
    parser = PageParser(everything)
    tables = [parser.parse(of_lines("a NaN", f"b {n}")).table for n in range(4)]

    assert all(table is tables[0] for table in tables)


def test_a_value_that_comes_back_is_in_the_table_again() -> None:
    parser = PageParser(everything)
    parser.parse(of_lines("a NaN", "b 1"))

    assert parser.parse(of_lines("a 2", "b 1")).values.tolist() == [2.0, 1.0]


def test_created_timestamps_join_the_series_of_their_family_in_milliseconds() -> None:
    page = PageParser(everything).parse(
        of_lines(
            'h_bucket{le="1.0",r="x"} 1',
            'h_count{r="x"} 1',
            'h_sum{r="x"} 0.5',
            'h_count{r="y"} 1',
            'c_total{r="x"} 7',
            'h_created{r="x"} 1700000000.125',
            'c_created{r="x"} 1.7e9',
            "up 1",
        )
    )
    born = dict(zip(((one.name, one.labels) for one in page.table.series), page.created.tolist(), strict=True))

    assert born[("h_bucket", (("le", "1.0"), ("r", "x")))] == 1_700_000_000_125
    assert born[("h_count", (("r", "x"),))] == 1_700_000_000_125
    assert born[("h_sum", (("r", "x"),))] == 1_700_000_000_125
    assert born[("c_total", (("r", "x"),))] == 1_700_000_000_000
    assert born[("h_count", (("r", "y"),))] == 0
    assert born[("up", ())] == 0


def test_created_timestamps_are_read_for_wanted_series_and_kept_out_of_the_table() -> None:
    parser = PageParser(named("c_total"))
    for _ in range(3):
        page = parser.parse(of_lines("c_total 7", "c_created 1700000000", "d_created 1700000000"))

        assert [one.name for one in page.table.series] == ["c_total"]
        assert page.created.tolist() == [1_700_000_000_000]


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-5", "0", "1e300"])
def test_a_created_timestamp_that_is_no_date_is_not_said(value: str) -> None:
    page = PageParser(named("c_total")).parse(of_lines("c_total 7", f"c_created {value}"))

    assert page.created.tolist() == [0]
    assert page.left_out == 0


def test_created_follows_a_restart_on_a_page_with_the_same_lines() -> None:
    parser = PageParser(named("c_total"))
    born = [int(parser.parse(of_lines("c_total 1", f"c_created {date}")).created[0]) for date in (10, 10, 10, 25.5)]

    assert born == [10_000, 10_000, 10_000, 25_500]


def test_families_are_those_declared_and_those_only_sampled() -> None:
    page = PageParser(frozenset({"wanted_total"})).parse(
        of_lines(
            "# HELP empty Nothing yet.",
            "# TYPE h histogram",
            'h_bucket{le="1"} 1',
            "h_count 1",
            "undeclared_total 4",
            "# UNIT t_seconds seconds",
            "# just a comment",
        )
    )

    assert page.table.families == {"empty", "h", "undeclared_total", "t_seconds"}


def test_help_without_a_text_names_its_own_family_only() -> None:
    parser = PageParser(everything)
    parser.parse(of_lines("# HELP a", "# HELP c C."))

    assert parser.parse(of_lines("# HELP b", "# HELP c D.")).table.families == {"b", "c"}


def test_a_family_that_comes_or_goes_gives_another_table() -> None:
    parser = PageParser(frozenset({"a"}))
    before = parser.parse(of_lines("# TYPE a counter", "a 1"))
    after = parser.parse(of_lines("# TYPE a counter", "a 1", "# TYPE b counter"))

    assert before.table.families == {"a"}
    assert after.table.families == {"a", "b"}


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("<html>", "no sample"),
        ("a", "no sample"),
        ("a5", "no sample"),
        ("a-5", "no sample"),
        ('a{b="c" 1', "no sample"),
        ('a{b="c} 1', "no sample"),
        ("a 1 2 3", "no sample"),
        ("9a 1", "no sample"),
        ("a one", "no number"),
        ("a 1_000", "no number"),
        ('a{b="c"} ', "no sample"),
        ("a{b=c} 1", "malformed"),
        ("a{b} 1", "malformed"),
        ('a{b="c" d="e"} 1', "malformed"),
        ('a{b="c",b="d"} 1', "twice"),
        ('a{__name__="b"} 1', "reserved"),
        ('a{"b"} 1', "second time"),
        ('{b="c"} 1', "no metric name"),
        ("# TYPE a", "gives no type"),
        ("# HELP 9a text", "names no metric"),
        ("y 1", "stands on the page twice"),
    ],
)
def test_a_broken_line_is_named_with_what_is_wrong(line: str, what: str) -> None:
    with pytest.raises(MalformedPage, match=what) as caught:
        PageParser(everything).parse(of_lines("y 1", line, "z 1"))

    assert caught.value.line == 2


def test_the_same_series_written_in_two_ways_is_still_twice() -> None:
    with pytest.raises(MalformedPage, match="twice"):
        PageParser(everything).parse(of_lines('a{b="1",c="2"} 1', 'a{ c="2", b="1", } 1'))


def test_a_label_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(MalformedPage, match="UTF-8"):
        PageParser(everything).parse(b'a{b="\xff"} 1\n')


def test_of_unwanted_lines_only_the_name_is_looked_at() -> None:
    page = PageParser(frozenset({"a"})).parse(of_lines("a 1", "b{x=y} 1", "c what"))

    assert page.values.tolist() == [1.0]


def test_metric_names_in_quotes_are_understood() -> None:
    parser = PageParser(frozenset({"my.metric"}))
    page = parser.parse(of_lines('# TYPE "my.metric" counter', '{"my.metric","a.b"="c"} 4', '{"other"} 1'))

    assert page.table.series == (Series(name="my.metric", labels=(("a.b", "c"),)),)
    assert page.table.families == {"my.metric", "other"}


def test_windows_line_ends_and_a_missing_last_one_change_nothing() -> None:
    parser = PageParser(everything)
    for page in (b"a 1\nb 2\n", b"a 1\r\nb 2\r\n", b"a 1\nb 2", b"a 1\r\nb 2\r\n", b"a 1\r\nb 2\r\n"):
        assert parser.parse(page).values.tolist() == [1.0, 2.0]


def test_an_empty_page_is_a_page_without_series() -> None:
    page = PageParser(everything).parse(b"")

    assert page.table.series == ()
    assert page.values.dtype == np.float64
    assert page.created.dtype == np.int64


def test_an_openmetrics_page_without_its_end_was_cut_off() -> None:
    parser = PageParser(everything)
    for _ in range(3):
        parser.parse(of_lines("a 1"))

    with pytest.raises(MalformedPage, match="EOF"):
        parser.parse(of_lines("a 1"), openmetrics=True)


def test_a_page_with_too_many_lines_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposition_cache, "MAX_LINES", 3)

    with pytest.raises(MalformedPage, match="4 lines"):
        PageParser(everything).parse(of_lines("a 1", "b 1", "c 1", "d 1"))


def test_what_has_gone_from_the_page_is_forgotten_in_the_end() -> None:
    parser = PageParser(everything)
    for n in range(5_000):
        parser.parse(of_lines(f'a{{n="{n}"}} 1'))

    assert parser.known < 2_000


def test_a_malformed_page_does_not_spoil_the_next() -> None:
    parser = PageParser(everything)
    first = parser.parse(of_lines("a 1", "b 1"))
    with pytest.raises(MalformedPage):
        parser.parse(of_lines("a 1", "b what"))

    assert parser.parse(of_lines("a 2", "b 3")).table is first.table
