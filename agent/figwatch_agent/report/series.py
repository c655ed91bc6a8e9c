"""What the newest tick knows, as gauges for Prometheus: budgets, burn rates, legacy's share, verdicts, incidents.

Label values are names of the files or closed words, so these bound the number of series: about 25 for each SLO on
each route. What is not known has no sample: no page ever says NaN, Inf or a made-up 0.
"""

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final, NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from figwatch_agent.durations import SECOND, Instant
from figwatch_agent.evaluate.legacy_ratio import overall
from figwatch_agent.evaluate.uptime import Uptime
from figwatch_agent.model.history import Axis, RouteShare, Shares
from figwatch_agent.model.incident import Incident
from figwatch_agent.model.names import Severity, Verdict
from figwatch_agent.model.view import Measured, RouteView, Span, StreamView, View
from figwatch_agent.report.criteria import verdict_of
from figwatch_agent.report.forecast import Zero, forecast
from figwatch_agent.report.sides import users

ALL: Final = "all"
"""The route of what is about no single one."""

_ROUTE: Final = ("service", "route")
_SLO: Final = ("service", "slo", "route")


class Family(NamedTuple):
    """One gauge: what it says, and its labels beside ``migration``."""

    text: str
    labels: tuple[str, ...]


FAMILIES: Final[Mapping[str, Family]] = {
    "figwatch_slo_objective_ratio": Family("What the SLO promises, as a ratio.", _SLO),
    "figwatch_slo_window_events": Family("Events of the SLO's window.", _SLO),
    "figwatch_slo_window_bad_events": Family("Bad events of the SLO's window.", _SLO),
    "figwatch_slo_budget_remaining_ratio": Family(
        "What is left of the error budget: 1 whole, 0 spent, below 0 overdrawn; absent without events.", _SLO
    ),
    "figwatch_slo_coverage_ratio": Family("Measured time / window.", _SLO),
    "figwatch_slo_uptime_ratio": Family(
        "Up / time, of an uptime SLO: over known time, and with unknown time counted as down and as up.",
        (*_SLO, "bound"),
    ),
    "figwatch_slo_measured": Family("1 where the newest tick could measure it, 0 where it is unknown.", _SLO),
    "figwatch_slo_burn_rate": Family(
        "The highest burn rate that the tier's long window leaves open.", (*_SLO, "tier", "severity")
    ),
    "figwatch_slo_burn_rate_threshold": Family(
        "The burn rate from which a tier may fire; none for the early lane, which adds up evidence.",
        (*_SLO, "tier", "severity"),
    ),
    "figwatch_slo_tier_firing": Family("1 while the tier fires, else 0.", (*_SLO, "tier", "severity")),
    "figwatch_route_requests": Family("Requests of the last hour, by the side that served them.", (*_ROUTE, "side")),
    "figwatch_route_stage": Family("Always 1; the label says how far the route is.", (*_ROUTE, "stage")),
    "figwatch_route_legacy_ratio": Family("Legacy / all requests of users in the last hour.", _ROUTE),
    "figwatch_route_legacy_zero_timestamp_seconds": Family(
        "When legacy serves nothing any more at this pace, with the ends of a 95% interval; absent without a date.",
        (*_ROUTE, "bound"),
    ),
    "figwatch_route_legacy_forecast": Family(
        "Always 1; the label says whether there is a date, or why there is none.", (*_ROUTE, "outcome")
    ),
    "figwatch_route_rollback_armed": Family(
        "1 while an automatic rollback is possible as far as the latch is concerned, else 0.", _ROUTE
    ),
    "figwatch_legacy_ratio": Family("Legacy / all requests of users in the last hour, all routes together.", ()),
    "figwatch_legacy_zero_timestamp_seconds": Family("The same forecast for all routes together.", ("bound",)),
    "figwatch_criterion_verdict": Family("1 for the verdict that stands, else 0.", ("criterion", "measure", "verdict")),
    "figwatch_criterion_value": Family("The figure that is judged, in its unit.", ("criterion", "measure", "unit")),
    "figwatch_route_open_incidents": Family("Incidents that are not resolved.", (*_ROUTE, "severity")),
    "figwatch_incident_impact_start_timestamp_seconds": Family(
        "When users began to suffer from the route's newest incident.", (*_ROUTE, "severity")
    ),
    "figwatch_incident_mitigated_timestamp_seconds": Family(
        "When that ended; absent while it goes on.", (*_ROUTE, "severity")
    ),
    "figwatch_rollback_decision": Family(
        "Always 1; what the guard decided about the route's newest incident.", (*_ROUTE, "outcome", "reason")
    ),
    "figwatch_rollback_decided_timestamp_seconds": Family(
        "When the route's newest rollback was decided.", (*_ROUTE, "state", "verdict")
    ),
    "figwatch_silences": Family("Silences in force.", ()),
    "figwatch_targets": Family("Scrape targets, by whether they answered the newest tick.", ("state",)),
}
"""Every gauge by its name. Each carries ``migration`` too."""


def series_page(view: View, shares: Shares) -> bytes:
    """All of it in the text format of Prometheus."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Page(view, shares))
    return generate_latest(registry)


class _Page(Collector):
    def __init__(self, view: View, shares: Shares) -> None:
        self._migration = view.migration
        self._families = {
            name: GaugeMetricFamily(name, family.text, labels=("migration", *family.labels))
            for name, family in FAMILIES.items()
        }
        for stream in view.streams:
            self._stream(stream)
        for route in view.routes:
            self._route(route)
        for share in shares.routes:
            self._forecast(share, shares.axis)
        self._whole(view, shares)
        for measured in view.criteria:
            self._criterion(measured)
        self._incidents(view)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Families that have a sample."""
        return [family for family in self._families.values() if family.samples]

    def _add(self, name: str, labels: tuple[str, ...], value: Fraction | float | None) -> None:
        finite = _finite(value)
        if finite is not None:
            self._families[name].add_metric((self._migration, *labels), finite)

    def _at(self, name: str, labels: tuple[str, ...], at: Instant | None) -> None:
        self._add(name, labels, None if at is None else at / SECOND)

    def _stream(self, stream: StreamView) -> None:
        labels = (stream.service, stream.slo, stream.route or ALL)
        self._add("figwatch_slo_objective_ratio", labels, stream.objective)
        self._add("figwatch_slo_window_events", labels, stream.counts.total)
        self._add("figwatch_slo_window_bad_events", labels, stream.counts.bad)
        self._add("figwatch_slo_budget_remaining_ratio", labels, stream.budget_left)
        self._add("figwatch_slo_coverage_ratio", labels, stream.coverage)
        self._add("figwatch_slo_measured", labels, stream.state != "unknown")
        if stream.span is not None:
            self._uptime(labels, stream.span)
        for tier in stream.tiers:
            whose = (*labels, tier.name, tier.severity)
            self._add("figwatch_slo_burn_rate", whose, tier.burn_high)
            self._add("figwatch_slo_burn_rate_threshold", whose, tier.factor if tier.short else None)
            self._add("figwatch_slo_tier_firing", whose, tier.firing)

    def _uptime(self, labels: tuple[str, ...], span: Span) -> None:
        account = Uptime(up_ms=span.up, down_ms=span.down, unknown_ms=span.unknown)
        bounds = (("known", account.availability), ("lower", account.lower_bound), ("upper", account.upper_bound))
        for bound, ratio in bounds:
            self._add("figwatch_slo_uptime_ratio", (*labels, bound), ratio)

    def _route(self, route: RouteView) -> None:
        labels = (route.service, route.route)
        for side, count in route.requests:
            self._add("figwatch_route_requests", (*labels, side), count)
        self._add("figwatch_route_stage", (*labels, route.stage.value), 1)
        self._add("figwatch_route_legacy_ratio", labels, users(route.requests).legacy_ratio)
        self._add("figwatch_route_rollback_armed", labels, route.armed)

    def _forecast(self, share: RouteShare, axis: Axis) -> None:
        labels = (share.service, share.route)
        found = forecast(axis, share.legacy, share.total)
        self._add("figwatch_route_legacy_forecast", (*labels, found.reason or "dated"), 1)
        self._zero("figwatch_route_legacy_zero_timestamp_seconds", labels, found)

    def _zero(self, name: str, labels: tuple[str, ...], found: Zero) -> None:
        for bound, at in (("expected", found.at), ("earliest", found.earliest), ("latest", found.latest)):
            self._at(name, (*labels, bound), at)

    def _whole(self, view: View, shares: Shares) -> None:
        whole = overall({f"{route.service} {route.route}": users(route.requests) for route in view.routes})
        self._add("figwatch_legacy_ratio", (), whole.legacy_ratio)
        found = forecast(shares.axis, shares.overall.legacy, shares.overall.total)
        self._zero("figwatch_legacy_zero_timestamp_seconds", (), found)
        self._add("figwatch_silences", (), len(view.silences))
        up = sum(target.up for target in view.targets)
        self._add("figwatch_targets", ("up",), up)
        self._add("figwatch_targets", ("down",), len(view.targets) - up)

    def _criterion(self, measured: Measured) -> None:
        verdict, _ = verdict_of(measured)
        labels = (measured.criterion.name, measured.criterion.measure.value)
        for each in Verdict:
            self._add("figwatch_criterion_verdict", (*labels, each.value), each is verdict)
        self._add("figwatch_criterion_value", (*labels, measured.unit), measured.estimate)

    def _incidents(self, view: View) -> None:
        counts = {(r.service, r.route, each): 0 for r in view.routes for each in Severity}
        newest: dict[tuple[str, str], Incident] = {}
        for incident in view.incidents:
            place = (incident.service or ALL, incident.route or ALL)
            key = (*place, incident.severity)
            counts[key] = counts.get(key, 0) + incident.open
            if place not in newest or incident.impact_start > newest[place].impact_start:
                newest[place] = incident
        for (service, route, severity), count in counts.items():
            self._add("figwatch_route_open_incidents", (service, route, severity.value), count)
        for place, incident in newest.items():
            self._newest(place, incident)

    def _newest(self, place: tuple[str, str], incident: Incident) -> None:
        whose = (*place, incident.severity.value)
        self._at("figwatch_incident_impact_start_timestamp_seconds", whose, incident.impact_start)
        self._at("figwatch_incident_mitigated_timestamp_seconds", whose, incident.mitigated_at)
        decision, run = incident.decision, incident.rollback
        if decision is not None:
            words = (decision.outcome.value, decision.reason.value)
            self._add("figwatch_rollback_decision", (*place, *words), 1)
        if run is not None:
            words = (run.state.value, run.verdict.value)
            self._at("figwatch_rollback_decided_timestamp_seconds", (*place, *words), run.decided_at)


def _finite(value: Fraction | float | None) -> float | None:
    """As a double; None for what is unknown or beyond one."""
    if value is None:
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None
