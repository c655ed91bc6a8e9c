"""The shared vocabulary of the dashboards: selectors, variables, colours by value, annotations."""

from typing import Final

from figwatch import contract
from figwatch_agent.generate.dashboards.board import Annotation, Colour, Query, Variable
from figwatch_agent.generate.series import EVENTS, MINUTE_OF

RATE: Final = "[$__rate_interval]"

USERS: Final = f'{contract.VANTAGE}="edge",{contract.SERVED_BY}!="shadow",{contract.ROUTE}=~"$chosen_route"'
"""Requests of users at the edge; copies for a shadow are nobody's."""
JUDGED: Final = f'{USERS},{contract.ERROR_TYPE}!="{contract.CLIENT_DISCONNECT}"'
"""Without those whose client went away."""
WELL: Final = (
    f'{JUDGED},{contract.STATUS}!~"5..",{contract.ERROR_TYPE}=~"|{contract.CLIENT_DISCONNECT}|[1-5][0-9][0-9]"'
)
"""Those that were served well; OpenTelemetry repeats the status as the error's type, so a 404 stays good."""

ON_ROUTE: Final = 'service=~"$service",route=~"$route"'
ON_SLO: Final = 'service=~"$service",slo=~"$slo",route=~"$route"'

_PROMISED: Final = f"{EVENTS}{MINUTE_OF}|figwatch_slo_objective_ratio"
"""What the rules and the agent say of every SLO: where only one of the two runs, there is a choice all the same."""
_ROUTED: Final = f"{EVENTS}{MINUTE_OF}|figwatch_route_stage"

SERVICES: Final = Variable(name="service", title="Service", series=f'{{__name__=~"{_PROMISED}"}}', label="service")
SLOS: Final = Variable(name="slo", title="SLO", series=f'{{__name__=~"{_PROMISED}",service=~"$service"}}', label="slo")
ROUTES: Final = Variable(
    name="route", title="Route", series=f'{{__name__=~"{_ROUTED}",service=~"$service"}}', label="route"
)
CHOSEN_ROUTES: Final = Variable(
    name="chosen_route",
    title="Routes of what is chosen",
    series=f'{{__name__=~"{_ROUTED}",{ON_ROUTE}}}',
    label="route",
    derived=True,
)
"""A gateway knows routes and no services: so the routes of the services that are chosen stand for them."""

SPENT: Final = ((None, Colour.BAD), (0.0, Colour.WARNING), (0.25, Colour.GOOD))
"""What is left of a budget."""
ALARM: Final = ((None, Colour.GOOD), (1.0, Colour.BAD))
"""What should not be there at all."""
YES_NO: Final = (("0", "no", Colour.GOOD), ("1", "yes", Colour.BAD))
VERDICTS: Final = (
    ("0", "missed", Colour.BAD),
    ("1", "inconclusive", Colour.UNKNOWN),
    ("2", "met", Colour.GOOD),
)


def open_incidents(matchers: str = ON_ROUTE) -> Annotation:
    """Every open incident, for as long as it is open."""
    return Annotation(
        name="Incidents",
        expr=f"sum by (service, route, severity) (figwatch_route_open_incidents{{{matchers}}}) > 0",
        title="{{severity}}: {{route}}",
        text="an incident of {{service}} is open",
        colour=Colour.BAD,
    )


def newest_rollbacks(matchers: str = ON_ROUTE) -> Annotation:
    """The newest rollback of each route, when it was decided."""
    decided = f"figwatch_rollback_decided_timestamp_seconds{{{matchers}}}"
    return Annotation(
        name="Rollbacks",
        expr=f"max by (service, route, state, verdict) ({decided}) * 1000",
        title="rollback: {{route}}",
        text="{{state}}, {{verdict}}",
        colour=Colour.WARNING,
        value_is_time=True,
    )


def or_none(expr: str, *labels: str) -> str:
    """0 where there is nothing to tell, under the name "none" as each of its labels."""
    nothing = "vector(0)"
    for label in labels:
        nothing = f'label_replace({nothing}, "{label}", "none", "", "")'
    return f"{expr} or on () {nothing}"


def rate(metric: str, matchers: str, by: str = contract.SERVED_BY) -> str:
    """Events a second, by the side that served them."""
    return f"sum by ({by}) (rate({metric}{{{matchers}}}{RATE}))"


def quantile(metric: str, matchers: str, share: str, by: str = contract.SERVED_BY) -> str:
    """A quantile of a histogram by side; absent where nothing came, never NaN."""
    buckets = f"sum by (le, {by}) (rate({metric}_bucket{{{matchers}}}{RATE}))"
    return f"histogram_quantile({share}, {buckets}) and on ({by}) ({rate(f'{metric}_count', matchers, by)} > 0)"


def failed_ratio() -> str:
    """Failed / all requests by side; absent without traffic."""
    count = f"{contract.REQUEST_DURATION}_count"
    all_of_them = rate(count, JUDGED)
    return f"1 - ({rate(count, WELL)} or 0 * {all_of_them}) / ({all_of_them} > 0)"


def of(name: str, legend: str, matchers: str = ON_SLO, by: str = "service, slo, route") -> Query:
    """A gauge of the agent, whichever instance says it."""
    inside = f"{{{matchers}}}" if matchers else ""
    return Query(expr=f"max by ({by}) ({name}{inside})", legend=legend)
