"""What is common to all formats that our files are written in."""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from figwatch import contract
from figwatch_agent.durations import SECOND, Duration, parse_duration
from figwatch_agent.files.foreign.promql_text import decimal_text
from figwatch_agent.model.selector import Matcher, Selector
from figwatch_agent.model.slo import Availability, Events, Histogram, Latency, Promql, ServiceSlos, Slo, Uptime

RANGE: Final = re.compile(r"\[\s*([0-9]+(?:ms|[smhdw])(?:[0-9]+(?:ms|[smhdw]))*)\s*(?=[\]:])")
_DIVIDED: Final = re.compile(r"\((.*)\) / ([0-9]+)", re.DOTALL)
_SPECIAL: Final = frozenset("\\.+*?()|[]{}^$")
_AS_STATUS: Final = "|[1-5][0-9][0-9]"
"""Error types that are no more than the status again."""


class Said(NamedTuple):
    """Something of ours that the other format has no place for."""

    file: str
    slo: str
    message: str


class Exported(NamedTuple):
    """Files to write by name, and what is not in them."""

    files: dict[str, str]
    said: tuple[Said, ...]


def left_behind(service: ServiceSlos, slo: Slo) -> Iterator[str]:
    """What no other format has a place for."""
    if isinstance(slo.sli, Uptime):
        yield "it is not carried over: its probe counts time, and other tools have no probes"
        return
    if isinstance(slo.sli, Availability | Latency):
        yield "its requests are written as counters of figwatch's series; sides and legacy are not told apart any more"
    if service.routes:
        yield "stages and rollback plans of its routes are not carried over"
    if slo.early:
        yield "the early lane is not carried over"
    if slo.burn == "traffic":
        yield "burn: traffic is not carried over: alerts fire on the ratio of the moment alone"
    if slo.tiers:
        yield "evidence is not carried over: one failure at little traffic may page there"
    if service.criteria:
        yield "criteria of its file are not carried over"


def counted(service: ServiceSlos, slo: Slo) -> Events | Histogram | Promql | None:
    """The SLI by counters; None where it counts time."""
    sli = slo.sli
    if isinstance(sli, Availability):
        return _availability(service, slo)
    if isinstance(sli, Latency):
        return _latency(service, slo, sli)
    return None if isinstance(sli, Uptime) else sli


def _of_requests(service: ServiceSlos, slo: Slo) -> tuple[Matcher, ...]:
    """Requests of the SLO's routes at its vantage, whoever served them; shadow copies are nobody's requests."""
    routes = sorted(slo.routes or [route.template for route in service.routes])
    literal = ["".join("\\" + char if char in _SPECIAL else char for char in route) for route in routes]
    return (
        Matcher(label=contract.VANTAGE, operator="=", value=service.vantage),
        Matcher(label=contract.SERVED_BY, operator="!=", value="shadow"),
        Matcher(label=contract.ROUTE, operator="=~", value="|".join(literal)),
    )


def _availability(service: ServiceSlos, slo: Slo) -> Events:
    requests = _of_requests(service, slo)
    gone = Matcher(label=contract.ERROR_TYPE, operator="!=", value=contract.CLIENT_DISCONNECT)
    name = contract.REQUEST_DURATION + "_count"
    by_status = Matcher(label=contract.STATUS, operator="=~", value="5..")
    by_error = (
        Matcher(label=contract.STATUS, operator="!~", value="5.."),
        Matcher(label=contract.ERROR_TYPE, operator="!~", value=f"{_AS_STATUS}|{contract.CLIENT_DISCONNECT}"),
    )
    return Events(
        total=(Selector(metric=name, matchers=(*requests, gone)),),
        bad=(
            Selector(metric=name, matchers=(*requests, by_status, gone)),
            Selector(metric=name, matchers=(*requests, *by_error)),
        ),
    )


def _latency(service: ServiceSlos, slo: Slo, sli: Latency) -> Events:
    requests = _of_requests(service, slo)
    name = contract.REQUEST_DURATION if sli.of == "last_byte" else contract.TIME_TO_FIRST_BYTE
    gone = Matcher(label=contract.ERROR_TYPE, operator="!=", value=contract.CLIENT_DISCONNECT)
    well = (
        Matcher(label=contract.STATUS, operator="!~", value="5.."),
        Matcher(label=contract.ERROR_TYPE, operator="=~", value=_AS_STATUS),
        le(Histogram(selectors=(), threshold=Fraction(sli.threshold, SECOND))),
    )
    return Events(
        total=(Selector(metric=name + "_count", matchers=(*requests, gone)),),
        good=(Selector(metric=name + "_bucket", matchers=(*requests, *well)),),
    )


def le(histogram: Histogram) -> Matcher:
    """The bucket of the threshold; whole numbers are written with and without their ``.0`` (Prometheus 3 and 2)."""
    text = decimal_text(histogram.threshold) or ""
    if histogram.threshold.denominator == 1:
        return Matcher(label="le", operator="=~", value=f"{text}(\\.0)?")
    return Matcher(label="le", operator="=", value=text)


def by_counts(sli: Events | Histogram) -> Events:
    """A histogram as the counters that it is made of."""
    if isinstance(sli, Events):
        return sli
    bucket = le(sli)
    return Events(
        good=tuple(Selector(metric=one.metric + "_bucket", matchers=(*one.matchers, bucket)) for one in sli.selectors),
        total=tuple(Selector(metric=one.metric + "_count", matchers=one.matchers) for one in sli.selectors),
    )


def ranged(text: str) -> str:
    """PromQL that counts a range, without the division that made events a second of it."""
    found = _DIVIDED.fullmatch(text)
    spans = set(RANGE.findall(text))
    if found is not None and len(spans) == 1 and parse_duration(spans.pop()) == int(found[2]) * SECOND:
        return found[1]
    return text


def shorthand(duration: Duration) -> str | None:
    """One number and one unit, from minutes up; None where that cannot say it."""
    for unit in ("d", "h", "m"):
        length = parse_duration(f"1{unit}")
        if duration and duration % length == 0:
            return f"{duration // length}{unit}"
    return None


def all_said(services: Sequence[ServiceSlos]) -> tuple[Said, ...]:
    """What is left behind of every SLO."""
    return tuple(
        Said(service.path, slo.name, message)
        for service in services
        for slo in service.slos
        for message in left_behind(service, slo)
    )
