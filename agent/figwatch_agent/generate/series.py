"""Names of the series that the rules record, level:metric:operation, and of their labels."""

from typing import Final

from figwatch_agent.durations import Duration, format_duration
from figwatch_agent.generate.promql import selector
from figwatch_agent.model.selector import Matcher

EVENTS: Final = "slo:events:increase"
"""Events of an SLO on a route, within the window that the name ends in."""
BAD: Final = "slo:bad_events:increase"
"""The bad ones among them."""
WHOLE: Final = "slo:whole_events:increase"
"""Events as if minutes that were not measured had brought as many as those that were."""
RATIO: Final = "slo:bad_events:ratio_increase"
"""Bad events / events; absent without traffic."""
REMAINING: Final = "slo:error_budget:remaining_ratio"
"""What is left of the error budget of the period: 1 whole, 0 gone, below 0 overdrawn."""
LEGACY: Final = "route:legacy_events:increase"
"""Requests of a migrated route that legacy served."""

MINUTE_OF: Final = "1m"
ALL: Final = "all"
"""The route of an alert or an SLO that is about no single route."""
NONE: Final = "none"
"""The SLO of an alert that is about none."""


def over(series: str, window: Duration) -> str:
    """The series' name for one window."""
    return series + format_duration(window)


def of(series: str, **labels: str) -> str:
    """A recorded series with these labels."""
    return selector(series, [Matcher(label=label, operator="=", value=value) for label, value in labels.items()])
