"""What is written for another tool comes back as it was, as far as that tool has a place for it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from figwatch_agent.durations import DAY, HOUR, MINUTE, Duration
from figwatch_agent.files.foreign.writing_openslo import openslo_files
from figwatch_agent.files.foreign.writing_sloth import sloth_files
from figwatch_agent.model.names import Severity
from figwatch_agent.model.selector import Matcher, Operator, Selector
from figwatch_agent.model.slo import Events, Histogram, Promql, ServiceSlos, Sli, Slo
from figwatch_agent.model.tier import DEFAULT_TIERS, Tier
from support.foreign import imported, read_back

OPERATORS: tuple[Operator, ...] = ("=", "!=", "=~", "!~")
VALUES = st.sampled_from(("a", "5..", 'quo"te', "back\\\\slash", "line\nbreak", "ümlaut", "a|b", "{id}"))
MATCHERS = st.lists(
    st.builds(
        Matcher,
        label=st.sampled_from(("job", "path", "code")),
        operator=st.sampled_from(OPERATORS),
        value=VALUES,
    ),
    max_size=2,
    unique=True,
).map(tuple)


def selectors(prefix: str) -> st.SearchStrategy[tuple[Selector, ...]]:
    """Some counters, of names that no other list has."""
    names = st.integers(0, 2).map(lambda number: f"{prefix}_{number}")
    one = st.builds(Selector, metric=names, matchers=MATCHERS)
    return st.lists(one, min_size=1, max_size=3, unique=True).map(tuple)


EVENTS = st.one_of(
    st.builds(lambda good, total: Events(good=good, total=total), selectors("good"), selectors("total")),
    st.builds(lambda bad, total: Events(bad=bad, total=total), selectors("bad"), selectors("total")),
)
HISTOGRAMS = st.builds(
    Histogram,
    selectors=selectors("seconds"),
    threshold=st.sampled_from([Fraction(text) for text in ("0.2", "0.005", "1", "250", "7.5")]),
)
PROMQL = st.sampled_from((Promql(bad="sum by (job) (irate(x[5m]))", total="sum(irate(y[5m]))"),))
SLIS: st.SearchStrategy[Sli] = st.one_of(EVENTS, HISTOGRAMS, PROMQL)
WINDOWS = st.sampled_from((7 * DAY, 28 * DAY, 30 * DAY, 90 * HOUR))


@st.composite
def slos(draw: st.DrawFn, name: str, tiers: tuple[Tier, ...]) -> Slo:
    return Slo(
        name=name,
        sli=draw(SLIS),
        objective=draw(st.sampled_from([Fraction(text) for text in ("0.5", "0.99", "0.999", "0.9995")])),
        tiers=tiers,
        early=False,
        description=draw(st.sampled_from(("", "Words: with #, 'quotes' and\ntwo lines", "on"))),
    )


@st.composite
def tiers(draw: st.DrawFn) -> tuple[Tier, ...]:
    """Any alerts that can work for every objective and window above."""
    longs = draw(st.lists(st.integers(1, 80), max_size=4, unique=True))
    found = []
    for hours in longs:
        share = Fraction(draw(st.integers(1, 30)), 1000) * hours / 80
        share = Fraction(round(share * 10**9), 10**9) + Fraction(1, 10**9)
        short: Duration = hours * HOUR // draw(st.sampled_from((12, 2, 7)))
        severity = draw(st.sampled_from(Severity))
        found.append(Tier(name=f"{hours}h", share=share, long=hours * HOUR, short=short, severity=severity))
    return tuple(found)


@st.composite
def services(draw: st.DrawFn, shared: bool) -> ServiceSlos:
    """A file. ``shared``: all SLOs are told alike, with two pages and two tickets or none of a kind."""
    window = draw(st.sampled_from((28 * DAY, 30 * DAY)) if shared else WINDOWS)
    found = []
    for index in range(draw(st.integers(1, 3))):
        if shared:
            severities = draw(st.sets(st.sampled_from(Severity)))
            chosen = tuple(tier for tier in DEFAULT_TIERS if tier.severity in severities)
        else:
            chosen = draw(tiers())
        found.append(draw(slos(f"shop-{index}", chosen)))
    return ServiceSlos(
        path="shop.yaml", migration="m", service="shop", window=window, routes=(), slos=tuple(found), criteria=()
    )


def comparable(service: ServiceSlos) -> ServiceSlos:
    """Without what depends on the place of the file, and what tiers are called and allowed."""
    plain = [
        replace(
            slo,
            objective=slo.objective,
            description=slo.description.strip(),
            tiers=tuple(replace(tier, name="", allow_slow=False) for tier in _working(slo, service)),
        )
        for slo in service.slos
    ]
    return replace(service, path="", slos=tuple(plain))


def _working(slo: Slo, service: ServiceSlos) -> list[Tier]:
    return [tier for tier in slo.tiers if tier.factor(service.window) * (1 - slo.objective) < 1]


@settings(max_examples=25)
@given(services(shared=False))
def test_openslo_gives_back_what_it_was_given(service: ServiceSlos) -> None:
    (text,) = openslo_files([service]).files.values()
    (back,) = read_back(imported(text, interval=MINUTE // 60))
    assert comparable(back) == comparable(service)


@settings(max_examples=25)
@given(services(shared=True))
def test_sloth_gives_back_what_it_was_given(service: ServiceSlos) -> None:
    texts = sloth_files([service]).files.values()
    (back,) = read_back(imported(*texts, interval=MINUTE // 60))
    assert comparable(back) == comparable(service)


@pytest.mark.parametrize("window", [7 * DAY, 30 * DAY])
def test_sloth_gives_back_a_catalogue_of_ones_own(window: Duration) -> None:
    rows = ((3, 1, Severity.PAGE), (7, 6, Severity.PAGE), (11, 24, Severity.TICKET), (30, 72, Severity.TICKET))
    own = tuple(
        Tier(name="", share=Fraction(percent, 100), long=hours * HOUR, short=hours * HOUR // 6, severity=severity)
        for percent, hours, severity in rows
    )
    slo = Slo(
        name="shop-a",
        sli=Events(bad=(Selector(metric="e"),), total=(Selector(metric="t"),)),
        objective=Fraction(999, 1000),
        tiers=own,
        early=False,
    )
    service = ServiceSlos(path="", migration="m", service="shop", window=window, routes=(), slos=(slo,))
    files = sloth_files([service]).files
    assert len(files) == 2
    (back,) = read_back(imported(*files.values()))
    assert comparable(back) == comparable(service)


def of_period(name: str, window: Duration) -> ServiceSlos:
    """A service with the usual alerts."""
    slo = Slo(
        name=f"{name}-a",
        sli=Events(bad=(Selector(metric="e"),), total=(Selector(metric="t"),)),
        objective=Fraction(999, 1000),
        tiers=DEFAULT_TIERS,
        early=False,
    )
    return ServiceSlos(path="", migration="m", service=name, window=window, routes=(), slos=(slo,))


def test_budgets_of_several_periods_are_a_folder_of_sloth_each_and_keep_their_periods() -> None:
    services = [of_period("shop", 28 * DAY), of_period("mail", 14 * DAY), of_period("chat", 30 * DAY)]
    files = sloth_files(services).files
    for service, folder in zip(services, ("28d", "14d", "30d"), strict=True):
        texts = [text for name, text in files.items() if name.startswith(f"{folder}/")]
        assert sorted(name for name in files if name.startswith(f"{folder}/")) == [
            f"{folder}/alert-windows-{folder}.yaml",
            f"{folder}/{service.service}.yaml",
        ]
        (back,) = read_back(imported(*texts))
        assert comparable(back) == comparable(service)


def test_catalogues_of_several_periods_are_refused_until_somebody_says_which_counts() -> None:
    """One of them would change the budget of the others' SLOs without a word."""
    texts = sloth_files([of_period("shop", 28 * DAY), of_period("mail", 14 * DAY)]).files.values()
    (problem,) = imported(*texts).problems()
    assert "catalogues for 14d and 28d" in problem.message
    assert "--window 28d" in problem.hint
    assert imported(*texts, window=28 * DAY).problems() == ()
