"""Alerts that no budget sees: traffic that stops, telemetry that is lost, legacy still reached."""

from collections.abc import Iterator
from typing import Final

from figwatch import contract
from figwatch_agent.durations import HOUR, MINUTE, Duration, format_duration
from figwatch_agent.generate.promql import by_route, counted, reach, selector
from figwatch_agent.generate.rule import Alert, Recording
from figwatch_agent.generate.series import EVENTS, LEGACY, MINUTE_OF, NONE, of, over
from figwatch_agent.generate.slicing import labels_of, request_matchers, routes_of
from figwatch_agent.generate.texts import ROUTE_IN_URL, Links, Text, annotations, place
from figwatch_agent.model.names import AlertName, Severity, Stage
from figwatch_agent.model.selector import Matcher
from figwatch_agent.model.slo import Availability, Latency, ServiceSlos, Slo, Uptime

SILENCE: Final[Duration] = 5 * MINUTE
EXPECTED: Final = 50
"""Requests that the last hour would have brought during the silence: at Poisson rates a chance of e**-50."""
USUAL: Final = EXPECTED * (HOUR - SILENCE) // SILENCE
"""So many in an hour whose last minutes were silent."""
PATIENCE: Final[Duration] = 2 * MINUTE
"""How long nothing is measured before that is told."""

_KEY = "migration, service, slo, route"


def watched(service: ServiceSlos) -> tuple[Slo, ...]:
    """SLOs that tell whether traffic and telemetry are there: of those that count the same requests, the first."""
    seen: set[str] = set()
    found: list[Slo] = []
    for slo in sorted(service.slos, key=lambda each: not isinstance(each.sli, Availability)):
        if isinstance(slo.sli, Uptime):
            continue
        if isinstance(slo.sli, (Availability, Latency)):
            routes = set(routes_of(service, slo))
            if routes <= seen:
                continue
            seen |= routes
        found.append(slo)
    return tuple(sorted(found, key=lambda each: each.name))


def telemetry_lost(service: ServiceSlos, slo: Slo, links: Links) -> Alert:
    """What was measured within the last hour is not measured now. It fires on until it is measured again."""
    minute = of(EVENTS + MINUTE_OF, slo=slo.name)
    firing = of("ALERTS", alertname=AlertName.TELEMETRY_LOST.value, alertstate="firing", slo=slo.name)
    text = Text(
        summary=f"{place(service.service)}: what users see cannot be measured ({slo.name})",
        description=(
            "The edge was measured within the last hour and is not any more: its scrape target does not answer, or the"
            " metric vanished from it. Until it is back nothing is known about these requests, and no alert about them"
            " can fire."
        ),
        decide="Are users well? Look at the edge itself, and move no routes until it can be measured again.",
    )
    return Alert(
        alert=AlertName.TELEMETRY_LOST.value,
        expr=(f"group by ({_KEY}) (last_over_time({minute}{reach(HOUR)}) or {firing})\nunless on ({_KEY}) {minute}"),
        labels=_labels(service, slo),
        annotations=annotations(AlertName.TELEMETRY_LOST, text, links),
        lasting=PATIENCE,
    )


def traffic_lost(service: ServiceSlos, slo: Slo, links: Links) -> Alert:
    """No events for minutes, where the last hour would have brought many. It fires on until one comes."""
    silent, hour = of(over(EVENTS, SILENCE), slo=slo.name), of(over(EVENTS, HOUR), slo=slo.name)
    firing = of("ALERTS", alertname=AlertName.TRAFFIC_LOST.value, alertstate="firing", slo=slo.name)
    text = Text(
        summary=f"{place(service.service)}: no requests for {format_duration(SILENCE)}",
        description=(
            f"At the last hour's rate at least {EXPECTED} requests would have come in this time. Its telemetry answers,"
            " so this is no gap in what is measured. No traffic spends no budget: no other alert will tell."
        ),
        decide="Can users reach the route? Call it yourself: if not, this is an outage that looks quiet.",
        variables=(("service", service.service), ("route", ROUTE_IN_URL)),
    )
    return Alert(
        alert=AlertName.TRAFFIC_LOST.value,
        expr=f"{silent} == 0\nand on ({_KEY}) ({hour} >= {USUAL} or {firing})",
        labels=_labels(service, slo),
        annotations=annotations(AlertName.TRAFFIC_LOST, text, links),
    )


def legacy_leak(service: ServiceSlos, links: Links) -> Iterator[Recording | Alert]:
    """Requests that legacy served on routes that are said to have moved; nothing where none has."""
    moved = [route.template for route in service.routes if route.stage in (Stage.MIGRATED, Stage.RETIRED)]
    if not moved:
        return
    legacy = Matcher(label=contract.SERVED_BY, operator="=", value="legacy")
    series = selector(contract.REQUEST_DURATION + "_count", (*request_matchers(service, moved), legacy))
    labels = {"migration": service.migration, "service": service.service}
    yield Recording(record=LEGACY + MINUTE_OF, expr=by_route(counted(series), contract.ROUTE), labels=labels)
    text = Text(
        summary=f"{place(service.service)}: legacy still serves a route that has moved",
        description="{{ $value }} requests within the last hour. The route's stage in slo/ says that none should.",
        decide="Does somebody go around the route table, or does slo/ say more than is true? After a rollback it does.",
        variables=(("service", service.service), ("route", ROUTE_IN_URL)),
    )
    yield Alert(
        alert=AlertName.LEGACY_LEAK.value,
        expr=f"sum_over_time({of(LEGACY + MINUTE_OF, service=service.service)}{reach(HOUR)}) > 0",
        labels={**labels, "slo": NONE, "severity": Severity.TICKET.value, "tier": "signal"},
        annotations=annotations(AlertName.LEGACY_LEAK, text, links),
    )


def _labels(service: ServiceSlos, slo: Slo) -> dict[str, str]:
    return {**labels_of(service, slo), "severity": Severity.TICKET.value, "tier": "signal"}
