"""An alert for every tier: both windows beyond the factor, and evidence that this is no chance."""

import math
from collections.abc import Iterable
from fractions import Fraction

from figwatch_agent.durations import format_duration
from figwatch_agent.evaluate.evidence import MINIMUM_BAD, alpha_for
from figwatch_agent.generate.promql import number
from figwatch_agent.generate.rule import Alert
from figwatch_agent.generate.series import BAD, RATIO, WHOLE, of, over
from figwatch_agent.generate.slicing import labels_of, routes_of
from figwatch_agent.generate.texts import ROUTE_IN_URL, Links, Text, annotations, place
from figwatch_agent.model.names import AlertName, Severity
from figwatch_agent.model.slo import Latency, ServiceSlos, Slo, Uptime
from figwatch_agent.model.tier import Tier

_DECIDE = {
    AlertName.ERROR_BUDGET_BURN_FAST: (
        "Is it the service alone, or what both sides share? The service alone: take its last change back or send the"
        " route back to legacy. Both alike: leave the route where it is and work on the shared part."
    ),
    AlertName.LATENCY_DEGRADED: (
        "Is the service slower than legacy on this route? Slower: take its last change back or send the route back."
        " Both slow: look for what they share, such as the database, before anything is moved."
    ),
    AlertName.ERROR_BUDGET_BURN_SLOW: (
        "Nobody needs to get up. Who owns the cause, and do risky changes to this service wait until it is mended?"
    ),
    AlertName.UPTIME_LOW: (
        "Do users suffer, or does the edge send around a dead instance? Routes that alert as well come first."
    ),
}


def evidence_constant(alpha: Fraction) -> float:
    """-ln(alpha), rounded up: the statistic of the bound must reach it."""
    return math.ceil(-math.log(alpha) * 10**6) / 10**6


def surprise(bad: float, expected: float) -> float:
    """bad ln(bad / expected) - bad + expected: Chernoff's bound says P(X >= bad) <= exp(-surprise)."""
    return bad * math.log(bad / expected) - bad + expected


def paging_streams(services: Iterable[ServiceSlos]) -> int:
    """Streams of these files that can page, as the agent counts them."""
    return sum(
        len(routes_of(service, slo))
        for service in services
        for slo in service.slos
        if not isinstance(slo.sli, Uptime) and any(tier.severity is Severity.PAGE for tier in slo.tiers)
    )


def alpha_of(services: Iterable[ServiceSlos]) -> Fraction:
    """The level at which a tier of one service fires."""
    return alpha_for(max(paging_streams(services), 1))


def severity_of(slo: Slo, tier: Tier) -> Severity:
    """Probes open tickets and nothing else."""
    return Severity.TICKET if isinstance(slo.sli, Uptime) else tier.severity


def name_of(slo: Slo, tier: Tier) -> AlertName:
    """The alert that a tier raises."""
    if isinstance(slo.sli, Uptime):
        return AlertName.UPTIME_LOW
    if tier.severity is Severity.TICKET:
        return AlertName.ERROR_BUDGET_BURN_SLOW
    return AlertName.LATENCY_DEGRADED if isinstance(slo.sli, Latency) else AlertName.ERROR_BUDGET_BURN_FAST


def tier_alert(service: ServiceSlos, slo: Slo, tier: Tier, alpha: Fraction, links: Links) -> Alert:
    """The rule of one tier, for all routes of the SLO at once."""
    labels = {**labels_of(service, slo), "severity": severity_of(slo, tier).value, "tier": tier.name}
    name = name_of(slo, tier)
    return Alert(
        alert=name.value,
        expr=expression(service, slo, tier, alpha),
        labels=labels,
        annotations=annotations(name, _text(service, slo, tier, name), links),
    )


def expression(service: ServiceSlos, slo: Slo, tier: Tier, alpha: Fraction) -> str:
    """Its value is the error ratio of the long window."""
    factor, budget = tier.factor(service.window), 1 - slo.objective
    ratio = of(over(RATIO, tier.long), slo=slo.name)
    bad, whole = of(over(BAD, tier.long), slo=slo.name), of(over(WHOLE, tier.long), slo=slo.name)
    bad_now, whole_now = of(over(BAD, tier.short), slo=slo.name), of(over(WHOLE, tier.short), slo=slo.name)
    most, expected = number(factor * budget), f"{number(budget)} * {whole}"
    lines = [
        ratio,
        f"and {bad} > {most} * {whole}",
        f"and {bad_now} > {most} * {whole_now}",
        f"and {bad} >= {MINIMUM_BAD}",
        f"and {bad} * ln({bad} / ({expected})) - {bad} + {expected} >= {evidence_constant(alpha)!r}",
    ]
    if factor < 1:  # so few bad events that they contradict the budget from below prove nothing
        lines.append(f"and {bad} > {expected}")
    return "\n".join(lines)


def _text(service: ServiceSlos, slo: Slo, tier: Tier, name: AlertName) -> Text:
    long, short = format_duration(tier.long), format_duration(tier.short)
    factor, budget = float(tier.factor(service.window)), 1 - slo.objective
    objective = f"{number(100 * slo.objective)}%"
    what = {AlertName.LATENCY_DEGRADED: "too slow or failed", AlertName.UPTIME_LOW: "down"}.get(name, "bad")
    gone = format_duration(int(service.window / tier.factor(service.window)) // 60_000 * 60_000)
    return Text(
        summary=f"{place(service.service)}: {{{{ $value | humanizePercentage }}}} {what} over {long} ({slo.name})",
        description=(
            f"{slo.description or slo.name} Promised: {objective} over {format_duration(service.window)}."
            f" Over {long} and over {short} the error budget of {number(100 * budget)}% burns more than"
            f" {factor:.4g} times as fast as it may; at that rate all of it is gone within {gone}. The failures are too"
            " many to be chance."
        ),
        decide=_DECIDE[name],
        variables=(("slo", slo.name), ("route", ROUTE_IN_URL)),
    )
