"""The story of one fault, from steady state to the closed incident, and whether it was the right one."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Final

import aiohttp

from figwatch_agent.demo import child, files, routes, stack
from figwatch_agent.demo.box import Box
from figwatch_agent.demo.chronicle import Json, decision_of, requests_of, stage_at, told_of
from figwatch_agent.demo.fault import Kind
from figwatch_agent.demo.verdict import Told, differences
from figwatch_agent.demo.watch import StoryBroken, Watch, ready
from figwatch_agent.durations import SECOND, Duration, parse_instant

STEADY: Final[Duration] = 15 * SECOND
"""Before the fault: long enough for rates and readings to be known."""
AFTERWARDS: Final[Duration] = 3 * SECOND
"""After the last event of a story that is over: anything that should not follow would show."""
MEASURED: Final[Duration] = 64 * SECOND
"""The criteria look back over a minute, so the agent must have watched for one."""
TOGGLE: Final[Duration] = 5 * SECOND
STARTED_WITHIN: Final[Duration] = 30 * SECOND

Tell = Callable[["Moment"], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something to tell, as it happens."""

    seconds: float  # since the fault; negative before it
    kind: str  # stage | injected | detected | decided | paged | rolled_back | verified | resolved | note | progress
    text: str
    done: float = 0.0  # of the whole story, 0 to 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the person asked for."""

    fault: str
    route: str
    rate: Fraction
    duration: Duration
    folder: Path


@dataclass(slots=True)
class Story:
    """Runs the stack, injects the fault and watches, asking only what anybody could ask over HTTP."""

    wishes: Wishes
    tell: Tell
    _injected_at: int | None = None  # milliseconds since the epoch
    _began: float = 0.0
    _told: set[str] = field(default_factory=set)
    _status: Json = field(default_factory=dict)

    async def run(self) -> Json:
        """The document of the story. Raises PartFailed or StoryBroken where the demo itself failed."""
        timeout = aiohttp.ClientTimeout(total=5)
        self._began = time.monotonic()
        async with Box(self.wishes.folder / "logs") as box, aiohttp.ClientSession(timeout=timeout) as client:
            self._say("stage", "starting a monolith, three services, an edge gateway, a pager and the agent")
            set_up = await stack.start(box, self.wishes.route)
            agent_url = await self._agent(box, set_up, client)
            seconds = Fraction(self.wishes.duration + 30 * SECOND, SECOND)
            load = await set_up.load(self.wishes.route, self.wishes.rate, seconds)
            watch = Watch(client=client, agent=agent_url, stack=set_up, load=load)
            return await self._play(watch)

    async def _agent(self, box: Box, set_up: stack.Stack, client: aiohttp.ClientSession) -> str:
        port = child.free_port()
        written = files.write(self.wishes.folder, set_up.addresses(port), set_up.shares)
        agent = await box.launch("figwatch_agent", "run", "--config", str(written[0]), name="agent", env=set_up.tokens)
        url = f"http://{child.LOOPBACK}:{port}"
        deadline = time.monotonic() + STARTED_WITHIN / SECOND
        while not await ready(client, url):
            if not agent.running or time.monotonic() > deadline:
                raise StoryBroken(f"the agent did not become ready; its log {agent.log} ends:\n{agent.log_tail()}")
            await asyncio.sleep(0.1)
        self._say("stage", f"the agent watches at {url}, files in {self.wishes.folder}")
        return url

    async def _play(self, watch: Watch) -> Json:
        self._say(
            "stage", f"steady state: {float(self.wishes.rate):g} requests/s on the service side of {self.wishes.route}"
        )
        self._say("stage", f"an alert resolves {files.HOLD_SECONDS} s after the last bad tick here (default: 5 min)")
        begun = time.monotonic()
        await self._watch_for(watch, STEADY)
        before = await watch.shares()
        fault = asyncio.create_task(self._inject(watch))
        try:
            await self._watch_until_over(watch, begun)
        finally:
            fault.cancel()
            await asyncio.gather(fault, return_exceptions=True)
        return await self._document(watch, before)

    async def _watch_for(self, watch: Watch, duration: Duration) -> None:
        until = time.monotonic() + duration / SECOND
        while time.monotonic() < until:
            await self._look(watch)
            await asyncio.sleep(0.2)

    async def _watch_until_over(self, watch: Watch, begun: float) -> None:
        """Until the incident is closed and the criteria are measured, or the time is up."""
        end = self._began + self.wishes.duration / SECOND - 4
        quiet_since: float | None = None
        while time.monotonic() < end:
            await self._look(watch)
            await asyncio.sleep(0.2)
            measured = time.monotonic() - begun >= MEASURED / SECOND
            over = self._over() and measured
            quiet_since = (quiet_since or time.monotonic()) if over else None
            if quiet_since is not None and time.monotonic() - quiet_since >= AFTERWARDS / SECOND:
                return

    def _over(self) -> bool:
        """Stories that end by themselves; the others are watched to the end, for what must not happen."""
        if self.wishes.fault not in ("errors", "latency", "outage"):
            return False
        incident = self._incident()
        return incident is not None and incident["resolved_at"] is not None

    async def _inject(self, watch: Watch) -> None:
        fault, route = self.wishes.fault, self.wishes.route
        service = watch.stack.services[next(each.service for each in routes.ROUTES if each.template == route)]
        order = watch.stack.fault
        if fault == "none":
            return
        self._injected_at = time.time_ns() // 1_000_000
        if fault == "shared":
            await asyncio.gather(
                order(watch.client, watch.stack.legacy, Kind.ERRORS, "0.5", route),
                order(watch.client, service, Kind.ERRORS, "0.5", route),
            )
        else:
            kind = Kind.ERRORS if fault in ("errors", "flap") else Kind(fault)
            ratio = "1" if fault in ("latency", "outage", "flap") else "0.5"
            await order(watch.client, service, kind, ratio, route)
        self._say("injected", _INJECTED[fault].format(route=route))
        while fault == "flap":
            for kind in (Kind.NONE, Kind.ERRORS):
                await asyncio.sleep(TOGGLE / SECOND)
                await order(watch.client, service, kind, "1", route)

    async def _look(self, watch: Watch) -> None:
        """Ask the agent, and tell what is new."""
        watch.check()
        status = await watch.get(f"{watch.agent}/api/v1/status")
        if status is None:
            return
        self._status = status
        for incident in reversed(status["incidents"]):
            self._tell_incident(incident)
        spent = (time.monotonic() - self._began) / (self.wishes.duration / SECOND)
        self._say("progress", self._now(), done=min(spent, 1.0))

    def _now(self) -> str:
        incident = self._incident()
        if incident is None or incident["resolved_at"]:
            return "watching"
        return f"incident {incident['id']} open"

    def _tell_incident(self, incident: Json) -> None:
        for stage, text in told_of(incident):
            key = f"{incident['id']} {stage} {text}"
            if key not in self._told:
                self._told.add(key)
                at = stage_at(incident, stage)
                seconds = self._since_fault(at) if at else self._elapsed()
                self.tell(Moment(seconds=seconds, kind=stage, text=text, done=0.0))

    def _incident(self) -> Json | None:
        """The incident of the faulted route: the oldest, which is the one the fault opened."""
        found = [
            one
            for one in self._status.get("incidents", ())
            if one["route"] == self.wishes.route and one["kind"] == "route"
        ]
        return min(found, key=lambda one: one["detected_at"], default=None)

    async def _document(self, watch: Watch, before: Mapping[str, int]) -> Json:
        status, seen = self._status, await watch.get(f"{watch.stack.pager.url}/seen") or {}
        load = await watch.get(f"{watch.load.url}/stats") or {}
        incident = self._incident()
        after = await watch.shares()
        told = Told(
            fault=self.wishes.fault,
            route=self.wishes.route,
            incidents=tuple(one for one in status.get("incidents", ()) if one["kind"] == "route"),
            alerts=tuple(one for one in seen.get("people", ()) if one["receiver"] == "pagerduty"),
            shares_before=before,
            shares_after=after,
        )
        return {
            "version": 1,
            "fault": self.wishes.fault,
            "route": self.wishes.route,
            "rate": float(self.wishes.rate),
            "hold_seconds": files.HOLD_SECONDS,
            "timeline": self._timeline(incident),
            "requests": requests_of(load, self.wishes.route),
            "decision": decision_of(incident),
            "criteria": status.get("criteria", []),
            "incidents": status.get("incidents", []),
            "pages": list(told.alerts),
            "gateway": {"before": dict(before), "after": dict(after)},
            "differences": differences(told),
        }

    def _timeline(self, incident: Json | None) -> dict[str, float | None]:
        timeline: dict[str, float | None] = {"injected": None if self._injected_at is None else 0.0}
        for stage in ("detected", "decided", "paged", "rolled_back", "verified", "resolved"):
            at = None if incident is None else stage_at(incident, stage)
            timeline[stage] = None if at is None else self._since_fault(at)
        return timeline

    def _since_fault(self, at: str) -> float:
        reference = self._injected_at if self._injected_at is not None else parse_instant(at)
        return round((parse_instant(at) - reference) / SECOND, 3)

    def _elapsed(self) -> float:
        if self._injected_at is None:
            return round(time.monotonic() - self._began - STEADY / SECOND, 1)
        return round(time.time_ns() / 1e9 - self._injected_at / SECOND, 1)

    def _say(self, kind: str, text: str, done: float = 0.0) -> None:
        seconds = 0.0 if kind == "injected" else self._elapsed()
        self.tell(Moment(seconds=seconds, kind=kind, text=text, done=done))


_INJECTED: Final = {
    "errors": "fault: half of the requests to the service side of {route} answer 500",
    "latency": "fault: the service side of {route} takes 400 ms and more",
    "outage": "fault: the service side of {route} breaks every connection",
    "shared": "fault: half of the requests to {route} answer 500, on the service side and on legacy alike",
    "flap": "fault: the service side of {route} fails for 5 s, works for 5 s, and so on",
}
