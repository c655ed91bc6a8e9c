"""Alerts that were imported have the factors and windows of the original, in exact arithmetic.

Each formula is written here once more, as its tool computes it.
"""

from fractions import Fraction

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from figwatch_agent.durations import DAY, HOUR, MINUTE, SECOND, Duration, format_duration
from figwatch_agent.model.names import Severity
from figwatch_agent.model.slo import Slo
from support.foreign import imported, read_back

Alert = tuple[Fraction, Duration, Duration, Severity]
"""Factor, long window, short window, severity."""

INTERVAL = 15 * SECOND
MINUTES = st.integers(1, 40 * 24 * 60).map(lambda count: count * MINUTE)
DECIMALS = st.decimals("0.01", "99", places=3).map(str)
OBJECTIVES = st.sampled_from(("50", "90", "99", "99.9", "99.95", "99.999"))


def can_work(alert: Alert, window: Duration, objective: Fraction) -> bool:
    """Whether an alert may fire at all here: the budget could burn so fast, and windows hold four looks."""
    factor, long, short, _ = alert
    whole = 0 < factor * long / window <= 1 and factor * (1 - objective) < 1
    return whole and short < long <= window and short >= 4 * INTERVAL


def carried(slo: Slo, window: Duration) -> list[Alert]:
    return [(tier.factor(window), tier.long, tier.short, tier.severity) for tier in slo.tiers]


def the_slo(*texts: str, window: Duration | None = None) -> tuple[Slo, Duration]:
    (service,) = read_back(imported(*texts, interval=INTERVAL, window=window))
    (slo,) = service.slos
    return slo, service.window


SLOTH = """
version: prometheus/v1
service: a
slos:
  - name: x
    objective: {objective}
    sli: {{events: {{error_query: "sum(rate(e[{{{{.window}}}}]))", total_query: "sum(rate(t[{{{{.window}}}}]))"}}}}
    alerting: {{}}
"""


def test_sloths_own_alerts_are_those_of_its_catalogue() -> None:
    for days in (28, 30):
        slo, window = the_slo(SLOTH.format(objective="99.9"), window=days * DAY)
        hours = Fraction(days * 24)
        assert window == days * DAY
        assert carried(slo, window) == [
            (Fraction(2, 100) * hours / 1, HOUR, 5 * MINUTE, Severity.PAGE),
            (Fraction(5, 100) * hours / 6, 6 * HOUR, 30 * MINUTE, Severity.PAGE),
            (Fraction(10, 100) * hours / 24, DAY, 2 * HOUR, Severity.TICKET),
            (Fraction(10, 100) * hours / 72, 3 * DAY, 6 * HOUR, Severity.TICKET),
        ]


@settings(max_examples=20)
@given(st.lists(st.tuples(DECIMALS, MINUTES, MINUTES), min_size=4, max_size=4), MINUTES, OBJECTIVES)
def test_a_catalogue_of_sloth_keeps_percent_x_period_over_long(
    rows: list[tuple[str, Duration, Duration]], period: Duration, objective: str
) -> None:
    names = ("page", "quick"), ("page", "slow"), ("ticket", "quick"), ("ticket", "slow")
    text = f"apiVersion: sloth.slok.dev/v1\nkind: AlertWindows\nspec:\n  sloPeriod: {format_duration(period)}\n"
    for (severity, speed), (percent, long, short) in zip(names, rows, strict=True):
        text += f"  {severity}:\n" if speed == "quick" else ""
        spans = f"longWindow: {format_duration(long)}, shortWindow: {format_duration(short)}"
        text += f"    {speed}: {{errorBudgetPercent: {percent}, {spans}}}\n"
    slo, window = the_slo(text, SLOTH.format(objective=objective))
    alerts = [
        (Fraction(percent) * period / 100 / long, long, short, Severity(severity))
        for (severity, _), (percent, long, short) in zip(names, rows, strict=True)
    ]
    assert window == period
    assert carried(slo, window) == [one for one in alerts if can_work(one, period, Fraction(objective) / 100)]


PYRRA = """
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {{name: x, labels: {{service: a}}}}
spec:
  target: "{objective}"
  window: {window}
  indicator: {{ratio: {{errors: {{metric: e}}, total: {{metric: t}}}}}}
"""


def in_minutes(nanoseconds: int) -> Duration:
    """Go's Duration.Round(time.Minute): half a minute goes up."""
    minute = 60 * 10**9
    below = nanoseconds % minute
    return (nanoseconds - below + (minute if 2 * below >= minute else 0)) // 10**6


@settings(max_examples=25)
@given(st.integers(1, 400 * 24 * 60).map(lambda count: count * MINUTE), OBJECTIVES)
@example(4032 * MINUTE, "99.9")  # half a minute, which goes up
@example(28 * DAY, "99.9")
@example(30 * DAY, "99")
@example(7 * DAY, "99.9")
@example(DAY, "99.9")
def test_pyrras_alerts_are_those_of_28_days_in_proportion(window: Duration, objective: str) -> None:
    w = window * 10**6  # nanoseconds
    alerts = [
        (Fraction(14), in_minutes(w // (28 * 24)), in_minutes(w // (28 * 24 * 12)), Severity.PAGE),
        (Fraction(7), in_minutes(w // (28 * 4)), in_minutes(w // (28 * 24 * 2)), Severity.PAGE),
        (Fraction(2), in_minutes(w // 28), in_minutes(w // (28 * 12)), Severity.TICKET),
        (Fraction(1), in_minutes(w // 7), in_minutes(w // (28 * 4)), Severity.TICKET),
    ]
    slo, kept = the_slo(PYRRA.format(objective=objective, window=format_duration(window)))
    assert kept == window
    assert carried(slo, window) == [one for one in alerts if can_work(one, window, Fraction(objective) / 100)]


def test_pyrras_alerts_for_28_days_are_those_of_its_table() -> None:
    slo, window = the_slo(PYRRA.format(objective="99.9", window="4w"))
    assert carried(slo, window) == [
        (Fraction(14), HOUR, 5 * MINUTE, Severity.PAGE),
        (Fraction(7), 6 * HOUR, 30 * MINUTE, Severity.PAGE),
        (Fraction(2), DAY, 2 * HOUR, Severity.TICKET),
        (Fraction(1), 4 * DAY, 6 * HOUR, Severity.TICKET),
    ]


OPENSLO = """
apiVersion: openslo/v1
kind: SLO
metadata: {{name: x}}
spec:
  service: a
  indicator:
    spec:
      ratioMetric:
        counter: true
        bad: {{metricSource: {{type: Prometheus, spec: {{query: e}}}}}}
        total: {{metricSource: {{type: Prometheus, spec: {{query: t}}}}}}
  timeWindow: [{{duration: {window}m, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{targetPercent: {objective}}}]
  alertPolicies:
    - spec:
        conditions:
          - spec: {{severity: {severity}, condition: {{threshold: {threshold}, lookbackWindow: {long}m}}}}
"""


@settings(max_examples=20)
@given(DECIMALS, st.integers(5, 10**5), st.integers(5, 10**5), st.sampled_from(Severity), OBJECTIVES)
def test_a_condition_of_openslo_keeps_its_threshold_and_window(
    threshold: str, long: int, window: int, severity: Severity, objective: str
) -> None:
    text = OPENSLO.format(window=window, objective=objective, severity=severity, threshold=threshold, long=long)
    slo, period = the_slo(text)
    alert = (Fraction(threshold), long * MINUTE, long * MINUTE // 12, severity)
    assert period == window * MINUTE
    assert carried(slo, period) == ([alert] if can_work(alert, period, Fraction(objective) / 100) else [])


SLO_GENERATOR = """
apiVersion: sre.google.com/v2
kind: ServiceLevelObjective
metadata: {{name: x, labels: {{service: a}}}}
spec:
  description: x
  backend: prometheus
  method: good_bad_ratio
  service_level_indicator: {{filter_good: g, filter_valid: t}}
  goal: {goal}
"""


@settings(max_examples=20)
@given(
    st.lists(st.tuples(DECIMALS, st.integers(60, 10**7), st.booleans()), min_size=1, max_size=4),
    st.sampled_from(("0.5", "0.99", "0.999")),
)
def test_a_policy_of_slo_generator_keeps_its_burn_rates_and_windows(
    steps: list[tuple[str, int, bool]], goal: str
) -> None:
    period = max(window for _, window, _ in steps) * SECOND
    assume(len({window for _, window, _ in steps}) == len(steps))
    policies = "error_budget_policies:\n  default:\n    steps:\n"
    for factor, window, alert in steps:
        policies += (
            f"      - {{name: s, burn_rate_threshold: {factor}, alert: {str(alert).lower()}, window: {window}}}\n"
        )
    slo, kept = the_slo(policies, SLO_GENERATOR.format(goal=goal))
    alerts = [
        (Fraction(factor), window * SECOND, window * SECOND // 12, Severity.PAGE if alert else Severity.TICKET)
        for factor, window, alert in steps
    ]
    assert kept == period
    assert carried(slo, kept) == [one for one in alerts if can_work(one, period, Fraction(goal))]
