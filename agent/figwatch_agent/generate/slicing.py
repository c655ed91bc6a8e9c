"""What is counted each minute: events and bad events of one SLO, by route."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Final

from figwatch import contract
from figwatch_agent.durations import SECOND
from figwatch_agent.generate.promql import bucket, by_route, counted, indented, one_of, quoted, selector, selector_text
from figwatch_agent.generate.rule import Recording
from figwatch_agent.generate.series import ALL, BAD, EVENTS, MINUTE_OF, of
from figwatch_agent.model.selector import Matcher, Selector
from figwatch_agent.model.slo import Availability, Events, Histogram, Latency, Promql, ServiceSlos, Slo, Uptime

PROBE: Final = "probe_success"
"""The gauge of the blackbox exporter; its label ``instance`` holds the URL asked."""

_GONE: Final = Matcher(label=contract.ERROR_TYPE, operator="!=", value=contract.CLIENT_DISCONNECT)
_NO_SHADOW: Final = Matcher(label=contract.SERVED_BY, operator="!=", value="shadow")
_ANSWERED: Final = Matcher(label=contract.STATUS, operator="!~", value="5..")
# OpenTelemetry repeats the status as the error's type: a 404 stays good.
_WELL: Final = f"|{contract.CLIENT_DISCONNECT}|[1-5][0-9][0-9]"
_NO_ERROR: Final = Matcher(label=contract.ERROR_TYPE, operator="=~", value=_WELL)


def countable(slo: Slo) -> bool:
    """Whether rules can count it. PromQL of one's own says nothing of its window: the agent evaluates it."""
    return not isinstance(slo.sli, Promql)


def routes_of(service: ServiceSlos, slo: Slo) -> tuple[str, ...]:
    """The routes that an SLO is counted on; ``all`` for what is no request of a route."""
    if isinstance(slo.sli, (Availability, Latency)):
        return tuple(sorted(slo.routes or (route.template for route in service.routes)))
    return (ALL,)


def labels_of(service: ServiceSlos, slo: Slo) -> dict[str, str]:
    """Labels of what is recorded about an SLO, beside ``route``."""
    return {"migration": service.migration, "service": service.service, "slo": slo.name}


def slices(service: ServiceSlos, slo: Slo) -> tuple[Recording, ...]:
    """The two rules on which everything else about the SLO stands."""
    events, bad = _expressions(service, slo)
    labels = labels_of(service, slo)
    if not isinstance(slo.sli, (Availability, Latency)):
        labels["route"] = ALL
    return (
        Recording(record=EVENTS + MINUTE_OF, expr=events, labels=labels),
        Recording(record=BAD + MINUTE_OF, expr=bad, labels=labels),
    )


def _expressions(service: ServiceSlos, slo: Slo) -> tuple[str, str]:
    sli = slo.sli
    minute = of(EVENTS + MINUTE_OF, slo=slo.name)
    if isinstance(sli, Availability):
        return _requests(service, slo, contract.REQUEST_DURATION), _failed(service, slo, minute)
    if isinstance(sli, Latency):
        metric = contract.TIME_TO_FIRST_BYTE if sli.of == "first_byte" else contract.REQUEST_DURATION
        return _requests(service, slo, metric), _late(service, slo, metric, Fraction(sli.threshold, SECOND), minute)
    if isinstance(sli, Events):
        return _sum(sli.total), _own_bad(sli, minute)
    if isinstance(sli, Histogram):
        good = _sum(sli.selectors, "_bucket", (bucket(sli.threshold),))
        return _sum(sli.selectors, "_count"), f"{minute} - on ()\n{good}"
    if isinstance(sli, Uptime):
        probes = selector(PROBE, [Matcher(label="instance", operator="=", value=sli.probe.http)])
        return f"sum(count_over_time({probes}[59s]))", f"{minute} - on () sum(sum_over_time({probes}[59s]))"
    raise ValueError(f"{slo.name}: rules cannot count PromQL of one's own")


def request_matchers(service: ServiceSlos, routes: Iterable[str]) -> tuple[Matcher, ...]:
    """Requests of users on these routes, where the service's SLOs are counted; who went away is left out."""
    vantage = Matcher(label=contract.VANTAGE, operator="=", value=service.vantage)
    return (one_of(contract.ROUTE, routes), vantage, _NO_SHADOW, _GONE)


def _requests(service: ServiceSlos, slo: Slo, metric: str) -> str:
    """Requests by route; 0 on a route without any while the metric is seen at this vantage at all."""
    series = selector(metric + "_count", request_matchers(service, routes_of(service, slo)))
    anything = selector(metric + "_count", [Matcher(label=contract.VANTAGE, operator="=", value=service.vantage)])
    idle = [
        f'label_replace(vector(0), "route", {quoted(route.replace("$", "$$"))}, "", "")'
        for route in routes_of(service, slo)
    ]
    zeros = "\n  or ".join(idle)
    return (
        f"{by_route(counted(series), contract.ROUTE)}\n"
        f"or on (route) (\n  ({zeros})\n  and on () (group({anything}) and group({anything} offset 1m)))"
    )


def _failed(service: ServiceSlos, slo: Slo, minute: str) -> str:
    """All that did not succeed."""
    matchers = request_matchers(service, routes_of(service, slo))
    good = selector(contract.REQUEST_DURATION + "_count", (*matchers, _ANSWERED, _NO_ERROR))
    return f"{minute} - on (route)\n{indented(by_route(counted(good), contract.ROUTE))}\nor on (route) {minute}"


def _late(service: ServiceSlos, slo: Slo, metric: str, bound: Fraction, minute: str) -> str:
    """All that were not good. Where nothing has a bucket of this bound, nothing is known."""
    matchers = request_matchers(service, routes_of(service, slo))
    good = selector(metric + "_bucket", (*matchers, _ANSWERED, _NO_ERROR, bucket(bound)))
    vantage = Matcher(label=contract.VANTAGE, operator="=", value=service.vantage)
    bounded = selector(metric + "_bucket", (vantage, bucket(bound)))
    return (
        f"{minute} - on (route)\n{indented(by_route(counted(good), contract.ROUTE))}\n"
        f"or on (route) ({minute} and on () group({bounded}))"
    )


def _sum(selectors: tuple[Selector, ...], suffix: str = "", more: tuple[Matcher, ...] = ()) -> str:
    """Over all series that any selector holds, each once."""
    metrics = {each.metric for each in selectors}
    parts = [(each.metric, counted(selector_text(each, suffix, more))) for each in selectors]
    if len(metrics) > 1:  # series of two metrics may have the same labels, and `or` would take the first alone
        parts = [
            (metric, f'label_replace(\n{indented(part)},\n  "figwatch_metric", "{metric}", "", "")')
            for metric, part in parts
        ]
    return "sum(\n" + indented("\nor ".join(part for _, part in parts)) + ")"


def _own_bad(sli: Events, minute: str) -> str:
    if sli.bad:
        return f"{_sum(sli.bad)}\nor on () 0 * sum({minute})"
    return f"{minute} - on ()\n{_sum(sli.good)}"
