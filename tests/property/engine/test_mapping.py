"""Streams are found by the labels that their selectors name, and none is missed or found for nothing."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from figwatch_agent.engine.catalog import compile_catalog
from figwatch_agent.engine.mapping import KINDS, SIDES, Mapper
from figwatch_agent.evaluate.selection import selected
from figwatch_agent.model.batch import Series, SeriesTable
from figwatch_agent.model.selector import Matcher, Selector
from figwatch_agent.model.slo import Events, ServiceSlos, Slo
from support.world import service
from support.world import settings as world_settings

LABELS = ("code", "path")
VALUES = ("", "200", "500")

matchers = st.builds(
    Matcher,
    label=st.sampled_from(LABELS),
    operator=st.sampled_from(("=", "!=", "=~", "!~")),
    value=st.sampled_from(VALUES),
)
selectors = st.builds(
    Selector, metric=st.sampled_from(("a_total", "b_total")), matchers=st.lists(matchers, max_size=3).map(tuple)
)
slis = st.builds(
    Events, total=st.lists(selectors, min_size=1, max_size=3).map(tuple), bad=st.lists(selectors, min_size=1).map(tuple)
)
SERIES = tuple(
    Series(name=name, labels=tuple((label, value) for label, value in (("code", code), ("path", path)) if value))
    for name in ("a_total", "b_total", "c_total")
    for code in VALUES
    for path in VALUES
)


@settings(max_examples=20, deadline=None)
@given(st.lists(slis, min_size=1, max_size=6))
def test_every_series_counts_for_the_streams_whose_selectors_select_it(events: list[Events]) -> None:
    slos = tuple(Slo(name=str(n), sli=sli, objective=Fraction(1, 2), tiers=()) for n, sli in enumerate(events))
    bare: ServiceSlos = service()
    services = (ServiceSlos(path="", migration="m", service="s", window=bare.window, routes=(), slos=slos),)
    mapper = Mapper(compile_catalog(services, world_settings()))
    mapping = mapper.map(SeriesTable(SERIES, frozenset()))
    cells = [divmod(cell, len(SIDES) * KINDS) for cell in mapping.cells.tolist()]
    found = sorted(
        (row, stream, cell % KINDS) for row, (stream, cell) in zip(mapping.rows.tolist(), cells, strict=True)
    )
    assert found == sorted(
        (row, stream, kind)
        for row, series in enumerate(SERIES)
        for stream, sli in enumerate(events)
        for kind, own in ((0, sli.total), (2, sli.bad))
        if selected(own, series)
    )
    assert {selector.metric for sli in events for selector in (*sli.total, *sli.bad)} <= mapper.wanted()
