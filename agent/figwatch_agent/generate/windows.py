"""Counts of longer windows, as sums of the minutes that were recorded."""

from collections.abc import Iterable
from typing import Final

from figwatch_agent.durations import MINUTE, Duration, format_duration
from figwatch_agent.generate.promql import minutes, number, reach
from figwatch_agent.generate.rule import Recording
from figwatch_agent.generate.series import BAD, EVENTS, MINUTE_OF, RATIO, REMAINING, WHOLE, of, over
from figwatch_agent.generate.slicing import labels_of
from figwatch_agent.model.slo import ServiceSlos, Slo

SHOWN: Final[tuple[Duration, ...]] = (5 * MINUTE, 60 * MINUTE)
"""Windows that the alerts about traffic look at, and dashboards too."""


def windows_of(slos: Iterable[Slo]) -> tuple[Duration, ...]:
    """Every window that the tiers of these SLOs or a dashboard look at, shortest first."""
    found = {*SHOWN}
    for slo in slos:
        for tier in slo.tiers:
            found |= {tier.long, tier.short}
    return tuple(sorted(found))


def sums(service: str, window: Duration) -> tuple[Recording, ...]:
    """Counts within one window, of all SLOs of a service at once: labels are carried over."""
    events, bad = of(EVENTS + MINUTE_OF, service=service), of(BAD + MINUTE_OF, service=service)
    return (
        Recording(record=over(EVENTS, window), expr=f"sum_over_time({events}{reach(window)})"),
        Recording(record=over(BAD, window), expr=f"sum_over_time({bad}{reach(window)})"),
        ratio(service, window),
    )


def whole(service: str, window: Duration) -> Recording:
    """Events if the minutes that were not measured had brought as many as those that were."""
    events, minute = of(over(EVENTS, window), service=service), of(EVENTS + MINUTE_OF, service=service)
    return Recording(
        record=over(WHOLE, window), expr=f"{events} * {minutes(window)} / count_over_time({minute}{reach(window)})"
    )


def ratio(service: str, window: Duration) -> Recording:
    """The ratio of the sums; without traffic there is none."""
    events, bad = of(over(EVENTS, window), service=service), of(over(BAD, window), service=service)
    return Recording(record=over(RATIO, window), expr=f"{bad} / ({events} > 0)")


def ratio_of_slices(service: str, window: Duration) -> Recording:
    """The same where the sums themselves are not recorded."""
    events, bad = of(EVENTS + MINUTE_OF, service=service), of(BAD + MINUTE_OF, service=service)
    return Recording(
        record=over(RATIO, window),
        expr=f"sum_over_time({bad}{reach(window)}) / (sum_over_time({events}{reach(window)}) > 0)",
    )


def remaining(service: ServiceSlos, slo: Slo, *, recorded: bool) -> Recording:
    """The error budget that is left of the period; without traffic it is untouched.

    ``recorded``: whether the period's sums are recorded already.
    """
    if recorded:
        events, bad = of(over(EVENTS, service.window), slo=slo.name), of(over(BAD, service.window), slo=slo.name)
    else:
        events = f"sum_over_time({of(EVENTS + MINUTE_OF, slo=slo.name)}{reach(service.window)})"
        bad = f"sum_over_time({of(BAD + MINUTE_OF, slo=slo.name)}{reach(service.window)})"
    expr = f"1 - {bad} / ({number(1 - slo.objective)} * {events} > 0)\nor 1 + ({events} == 0)"
    return Recording(record=f"{REMAINING}_{format_duration(service.window)}", expr=expr, labels=labels_of(service, slo))
