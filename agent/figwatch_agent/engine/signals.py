"""Alerts that no budget sees: traffic that stops, telemetry that is lost, legacy still reached, pages refused."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import HOUR, MINUTE, Instant, format_seconds
from figwatch_agent.engine.catalog import Catalog
from figwatch_agent.engine.desk import Desk
from figwatch_agent.engine.mapping import TRAFFIC_SIDES
from figwatch_agent.engine.measuring import Rings
from figwatch_agent.engine.tally import Tally
from figwatch_agent.model.incident import Alert, IncidentKind
from figwatch_agent.model.names import AlertName, Severity, Stage

EXPECTED = 50
"""Requests that the last hour's rate would have brought during the silence, before silence is a loss: at Poisson rates
a chance of e**-50, and still far from a false alarm where traffic halves a few times in the evening."""

_LEGACY = TRAFFIC_SIDES.index("legacy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Something that is the case now."""

    name: AlertName
    kind: IncidentKind
    subject: str  # of its incident
    service: str
    since: Instant
    text: str

    def alert(self, key: str, now: Instant) -> Alert:
        """The ticket that it opens."""
        return Alert(
            id=f"{key} {now}",
            name=self.name,
            slo=key,
            route=self.subject,
            tier="signal",
            lane="all",
            severity=Severity.TICKET,
            fired_at=now,
            impact_start=self.since,
            certified=True,
            bad=0,
            total=0,
            burn_rate=None,
        )


class Signals:
    """Looks for them; remembers when each stream was measured and each route was used last."""

    def __init__(self, catalog: Catalog, rings: Rings, desk: Desk) -> None:
        self.catalog = catalog
        self.rings = rings
        self.desk = desk
        self.last_known: NDArray[np.int64] = np.zeros(len(catalog.streams), dtype=np.int64)
        self.last_request: NDArray[np.int64] = np.zeros(len(catalog.routes), dtype=np.int64)

    def look(self, tally: Tally, since: Instant, now: Instant) -> tuple[dict[str, Signal], frozenset[str]]:
        """(what is the case, keys about which nothing can be said now), ``since`` being the tick before."""
        if now - since > self.catalog.longest_gap:  # the agent was off: nobody looked, so nothing was lost
            self.last_known = np.where(self.last_known > 0, self.last_known + (now - since), 0)
        self.last_known = np.where(tally.known, now, self.last_known)
        # What is excluded is as silent as it was when the exclusion began: nothing is lost by it, and nothing is found.
        self.last_known = np.where(
            tally.excluded & (self.last_known > 0), self.last_known + (now - since), self.last_known
        )
        used = tally.traffic[:-1].sum(axis=1) > 0
        self.last_request = np.where(used, now, self.last_request)
        found: dict[str, Signal] = {}
        blind = self._telemetry(tally, now, found)
        unseen = np.array(blind, dtype=np.bool_) & ~used & (self.last_request > 0)
        self.last_request = np.where(unseen, self.last_request + (now - since), self.last_request)
        unknown = {
            f"{word} {route.route.template}"
            for route in self.catalog.routes
            for word in ("TrafficLost", "LegacyLeak")
            if blind[route.index]
        }
        self._traffic(blind, now, found)
        self._leaks(blind, now, found)
        self._deliveries(now, found)
        return found, frozenset(unknown)

    def _telemetry(self, tally: Tally, now: Instant, found: dict[str, Signal]) -> list[bool]:
        """A service is blind where a stream was measured once and is not for long; gives the blind routes."""
        patience = self.catalog.settings.alerting.telemetry_lost_after
        known_routes: set[str] = set()
        for stream in self.catalog.streams:
            if stream.probed:
                continue
            if tally.known[stream.index]:
                known_routes.add(stream.route)
            last = int(self.last_known[stream.index])
            key = f"TelemetryLost {stream.service.service}"
            if last and now - last >= patience and key not in found:
                why = tally.stream_findings.get(stream.index, "")
                found[key] = Signal(
                    name=AlertName.TELEMETRY_LOST,
                    kind=IncidentKind.AGENT,
                    subject=f"telemetry of {stream.service.service}",
                    service=stream.service.service,
                    since=last,
                    text=f"{stream.slo.name} was not measured for {format_seconds(now - last)}: {why}",
                )
        return [route.route.template not in known_routes for route in self.catalog.routes]

    def _traffic(self, blind: list[bool], now: Instant, found: dict[str, Signal]) -> None:
        patience = self.catalog.settings.alerting.traffic_lost_after
        requests = self.rings.traffic(HOUR).sum(axis=1)
        for route in self.catalog.routes:
            last = int(self.last_request[route.index])
            silence = now - last
            if not last or blind[route.index] or silence < patience:
                continue
            active = max(HOUR - silence, MINUTE)
            key = f"TrafficLost {route.route.template}"
            if int(requests[route.index]) * silence >= EXPECTED * active or key in self.desk.signals:
                found[key] = Signal(
                    name=AlertName.TRAFFIC_LOST,
                    kind=IncidentKind.TRAFFIC,
                    subject=route.route.template,
                    service=route.service.service,
                    since=last,
                    text=f"no request for {format_seconds(silence)}",
                )

    def _leaks(self, blind: list[bool], now: Instant, found: dict[str, Signal]) -> None:
        lately, hour = self.rings.traffic(5 * MINUTE), self.rings.traffic(HOUR)
        for route in self.catalog.routes:
            template = route.route.template
            if route.route.stage not in (Stage.MIGRATED, Stage.RETIRED) or blind[route.index]:
                continue
            if template in self.desk.latches.latched:
                continue  # legacy serves it because figwatch sent it back
            key = f"LegacyLeak {template}"
            if int(lately[route.index, _LEGACY]) or (key in self.desk.signals and int(hour[route.index, _LEGACY])):
                found[key] = Signal(
                    name=AlertName.LEGACY_LEAK,
                    kind=IncidentKind.TRAFFIC,
                    subject=template,
                    service=route.service.service,
                    since=now,
                    text=f"{int(hour[route.index, _LEGACY])} requests of the last hour were served by legacy",
                )

    def _deliveries(self, now: Instant, found: dict[str, Signal]) -> None:
        for receiver, reason in self.desk.failing_receivers.items():
            found[f"DeliveryFailing {receiver}"] = Signal(
                name=AlertName.DELIVERY_FAILING,
                kind=IncidentKind.AGENT,
                subject=f"receiver {receiver}",
                service="figwatch",
                since=now,
                text=f"{receiver} refuses what is sent: {reason}",
            )
