"""Templates for the window, and queries that no sum of counters says."""

import pytest
from pydantic_core import PydanticCustomError

from figwatch_agent.files.foreign.pieces import query
from figwatch_agent.files.foreign.ratio import (
    APART,
    AS_RATE,
    COMPUTED,
    KEPT,
    NO_COUNTS,
    sli_of_both,
    sli_of_counts,
    sli_of_ratio,
)
from figwatch_agent.files.foreign.window_template import with_window
from figwatch_agent.model.selector import Selector
from figwatch_agent.model.slo import Events, Promql

TOTAL = query("sum(rate(t_total[5m]))")


@pytest.mark.parametrize(
    "written",
    [
        "{{.window}}",
        "{{ .window }}",
        "{{- .Window -}}",
        "{{window}}",
        "{{`{{.window}}`}}",
        '{{ "{{.window}}" }}',
        '{{ "{{" }}.window{{ "}}" }}',
        "window",
        "$window",
        "${window}",
        "$__rate_interval",
        "$__range",
    ],
)
def test_every_form_of_the_template_is_the_window(written: str) -> None:
    assert with_window(f"sum(rate(x[{written}]))") == "sum(rate(x[$window]))"
    assert query(f"sum(rate(x[{written}]))").windowed


def test_a_label_called_window_is_none() -> None:
    found = query('sum(rate(x{window="window",a="[window"}[5m]))')
    assert not found.windowed
    assert found.text == 'sum(rate(x{window="window",a="[window"}[5m]))'


@pytest.mark.parametrize("text", ["sum(rate(x[{{ .Values.w }}]))", "sum(${METRIC})", "sum(rate(x[$interval]))"])
def test_any_other_template_is_refused(text: str) -> None:
    with pytest.raises(PydanticCustomError, match="holds a template that is not the window"):
        query(text)


@pytest.mark.parametrize("text", ["", "   ", "sum(", "sum(rate(x[5m])", "x{", "+".join(["x"] * 2000)])
def test_what_is_no_query_is_refused(text: str) -> None:
    with pytest.raises(PydanticCustomError):
        query(text)


KEPT_AS_IT_IS = [
    "sum(irate(x[5m]))",
    "sum(rate(x[5m] offset 1h))",
    'sum(rate({__name__=~"x|y"}[5m]))',
    'sum(rate(x{a="b" or c="d"}[5m]))',
    "avg(rate(x[5m]))",
    "sum(rate(x[5m])) * 2",
    "sum(rate(x[5m])) or sum(rate(y[5m]))",
    "sum(rate(x[1h:5m]))",
    "sum(rate(x[5m])) + sum(rate(x[5m]))",
    "sum(rate(x[5m])) * on (job) group_left () sum(rate(y[5m]))",
    "topk(1, rate(x[5m]))",
]


@pytest.mark.parametrize("text", KEPT_AS_IT_IS)
def test_other_shapes_are_kept_as_promql(text: str) -> None:
    found = sli_of_counts("bad", query(text), TOTAL)
    assert found.sli == Promql(bad=text, total=TOTAL.text)
    assert found.said == (KEPT,)


def test_counts_of_a_range_become_events_a_second() -> None:
    bad, total = query("sum(max_over_time(x[{{.window}}]))"), query("sum(count_over_time(x[1h]))")
    found = sli_of_counts("bad", bad, total)
    assert found.sli == Promql(bad="(sum(max_over_time(x[5m]))) / 300", total="(sum(count_over_time(x[1h]))) / 3600")


def test_good_events_that_are_kept_become_bad_ones_that_a_total_outage_does_not_hide() -> None:
    found = sli_of_counts("good", query("avg(rate(x[5m]))"), query("avg(rate(y[5m]))"))
    assert isinstance(found.sli, Promql)
    assert found.sli.bad == "sum(avg(rate(y[5m]))) - (sum(avg(rate(x[5m]))) or vector(0))"


def test_recorded_rates_are_taken_for_what_they_seem_and_that_is_said() -> None:
    found = sli_of_counts("bad", query("job:errors:rate5m"), query("job:requests:rate5m"))
    assert found.sli == Promql(bad="job:errors:rate5m", total="job:requests:rate5m")
    assert found.said == (KEPT, AS_RATE)


def test_counters_named_without_a_rate_are_counters_where_they_are_said_to_be() -> None:
    found = sli_of_counts("bad", query("sum(x_total)"), query("t_total"), raw=True)
    assert found.sli == Events(bad=(Selector(metric="x_total"),), total=(Selector(metric="t_total"),))
    assert found.said == ()


def test_a_counter_of_no_plain_name_is_asked_for_its_rate() -> None:
    found = sli_of_counts("bad", query('sum({__name__="x"})'), query("t_total"), raw=True)
    assert found.sli == Promql(bad='sum(rate({__name__="x"}[5m]))', total="sum(rate(t_total[5m]))")


def test_a_counter_that_is_computed_has_no_rate() -> None:
    assert sli_of_counts("bad", query("x_total / 2"), query("t_total"), raw=True) == (None, (COMPUTED,))


@pytest.mark.parametrize("text", ["job:ratio", "1 - job:ratio", "avg_over_time(up[5m])", "5", "sum(x) > 3"])
def test_a_ratio_without_counts_is_left_out(text: str) -> None:
    assert sli_of_ratio("bad", query(text)) == (None, (NO_COUNTS,))


def test_a_sum_over_labels_is_one_budget_and_that_is_said() -> None:
    found = sli_of_counts("bad", query("sum by (job) (rate(x[5m]))"), TOTAL)
    assert isinstance(found.sli, Events)
    assert found.said == (APART,)


def test_what_is_added_and_taken_away_again_is_gone() -> None:
    both = query("sum(rate(x[5m])) + sum(rate(y[5m])) - sum(rate(y[5m]))")
    assert sli_of_counts("bad", both, TOTAL).sli == Events(
        bad=(Selector(metric="x"),), total=(Selector(metric="t_total"),)
    )


def test_good_and_bad_that_no_counters_say_are_kept_together() -> None:
    found = sli_of_both(query("avg(rate(g[5m]))"), query("sum(rate(b[5m]))"))
    assert found.sli == Promql(bad="sum(rate(b[5m]))", total="(avg(rate(g[5m]))) + (sum(rate(b[5m])))")


@pytest.mark.parametrize("bound", ['le="+Inf"', 'le=~"0.1|0.2"', 'le!="0.2"', 'le="0.00000000000000000001"'])
def test_a_bucket_that_is_no_threshold_stays_a_counter(bound: str) -> None:
    good, total = query(f"sum(rate(h_bucket{{{bound}}}[5m]))"), query("sum(rate(h_count[5m]))")
    found = sli_of_counts("good", good, total)
    assert isinstance(found.sli, Events)
    assert found.sli.good[0].metric == "h_bucket"
