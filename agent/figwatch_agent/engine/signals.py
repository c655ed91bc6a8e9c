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

Flags = NDArray[np.bool_]

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
        self._asked = np.array([not stream.probed for stream in catalog.streams], dtype=np.bool_)
        self._of_stream, self._of_route = _routes_of(catalog)
        self._left = [
            route for route in catalog.routes if route.route.stage in (Stage.MIGRATED, Stage.RETIRED)
        ]  # legacy is not to be reached there

    def look(self, tally: Tally, since: Instant, now: Instant) -> tuple[dict[str, Signal], frozenset[str]]:
        """(what is the case, keys about which nothing can be said now), ``since`` being the tick before."""
        if now - since > self.catalog.longest_gap:  # the agent was off: nobody looked, so nothing was lost
            self.last_known = np.where(self.last_known > 0, self.last_known + (now - since), 0)
        self.last_known = np.where(tally.known, now, self.last_known)
        # What is excluded is as silent as it was when the exclusion began: nothing is lost by it, and nothing is found.
        if tally.excluded.any():
            frozen = tally.excluded & (self.last_known > 0)
            self.last_known = np.where(frozen, self.last_known + (now - since), self.last_known)
        used = tally.traffic[:-1].any(axis=1)
        self.last_request = np.where(used, now, self.last_request)
        found: dict[str, Signal] = {}
        blind = self._telemetry(tally, now, found)
        unseen = blind & ~used & (self.last_request > 0)
        self.last_request = np.where(unseen, self.last_request + (now - since), self.last_request)
        unknown = {
            f"{word} {self.catalog.routes[index].route.template}"
            for index in np.flatnonzero(blind).tolist()
            for word in ("TrafficLost", "LegacyLeak")
        }
        self._traffic(blind, now, found)
        self._leaks(blind, now, found)
        self._deliveries(now, found)
        return found, frozenset(unknown)

    def _telemetry(self, tally: Tally, now: Instant, found: dict[str, Signal]) -> Flags:
        """A service is blind where a stream was measured once and is not for long; gives the blind routes."""
        patience = self.catalog.settings.alerting.telemetry_lost_after
        lost = self._asked & (self.last_known > 0) & (now - self.last_known >= patience)
        for index in np.flatnonzero(lost).tolist():
            stream, last = self.catalog.streams[index], int(self.last_known[index])
            key = f"TelemetryLost {stream.service.service}"
            if key not in found:
                why = tally.stream_findings.get(index, "")
                found[key] = Signal(
                    name=AlertName.TELEMETRY_LOST,
                    kind=IncidentKind.AGENT,
                    subject=f"telemetry of {stream.service.service}",
                    service=stream.service.service,
                    since=last,
                    text=f"{stream.slo.name} was not measured for {format_seconds(now - last)}: {why}",
                )
        seen = np.zeros(len(self.catalog.routes) + 1, dtype=np.bool_)
        seen[self._of_stream[tally.known]] = True
        blind: Flags = ~seen[self._of_route]
        return blind

    def _traffic(self, blind: Flags, now: Instant, found: dict[str, Signal]) -> None:
        patience = self.catalog.settings.alerting.traffic_lost_after
        silent = ~blind & (self.last_request > 0) & (now - self.last_request >= patience)
        for index in np.flatnonzero(silent).tolist():
            route, last = self.catalog.routes[index], int(self.last_request[index])
            silence = now - last
            active = max(HOUR - silence, MINUTE)
            key = f"TrafficLost {route.route.template}"
            requests = int(self.rings.traffic(HOUR)[index].sum())
            if requests * silence >= EXPECTED * active or key in self.desk.signals:
                found[key] = Signal(
                    name=AlertName.TRAFFIC_LOST,
                    kind=IncidentKind.TRAFFIC,
                    subject=route.route.template,
                    service=route.service.service,
                    since=last,
                    text=f"no request for {format_seconds(silence)}",
                )

    def _leaks(self, blind: Flags, now: Instant, found: dict[str, Signal]) -> None:
        if not self._left:
            return
        lately, hour = (self.rings.traffic(length)[:, _LEGACY].tolist() for length in (5 * MINUTE, HOUR))
        for route in self._left:
            template, key = route.route.template, f"LegacyLeak {route.route.template}"
            if not (lately[route.index] or (key in self.desk.signals and hour[route.index])):
                continue
            if blind[route.index] or template in self.desk.latches.latched:
                continue  # where it is latched, legacy serves it because figwatch sent it back
            found[key] = Signal(
                name=AlertName.LEGACY_LEAK,
                kind=IncidentKind.TRAFFIC,
                subject=template,
                service=route.service.service,
                since=now,
                text=f"{hour[route.index]} requests of the last hour were served by legacy",
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


def _routes_of(catalog: Catalog) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of route templates, by stream and by route; 0 for a stream that tells nothing about any."""
    numbers: dict[str, int] = {}
    for route in catalog.routes:
        numbers.setdefault(route.route.template, len(numbers) + 1)
    by_stream = [0 if stream.probed else numbers.get(stream.route, 0) for stream in catalog.streams]
    by_route = [numbers[route.route.template] for route in catalog.routes]
    return np.array(by_stream, dtype=np.int64), np.array(by_route, dtype=np.int64)
