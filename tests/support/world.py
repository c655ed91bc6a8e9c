"""A small migration whose gateway is a table of counters: tests say what users did, and look at Outcomes."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from figwatch import contract
from figwatch_agent.durations import DAY, HOUR, MINUTE, SECOND, Duration, Instant
from figwatch_agent.engine import Engine
from figwatch_agent.model.batch import Batch, ProbeResult, Reading, Series, SeriesTable, down
from figwatch_agent.model.command import Command
from figwatch_agent.model.effect import DeliveryEffect, DeliveryState, Effect, RollbackEffect, RollbackState
from figwatch_agent.model.incident import Incident
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.names import DataPlan, Measure, Mode, Repeat, Severity, Stage
from figwatch_agent.model.outcome import Outcome, TransitionKind
from figwatch_agent.model.page import OutboxRow, PageKind
from figwatch_agent.model.plan import (
    GatewayReading,
    HttpCall,
    LegacyFitness,
    RollbackPlan,
    Step,
    Verification,
)
from figwatch_agent.model.secret import Secret
from figwatch_agent.model.settings import Alerting, PagerDuty, Receiver, Rollback, Scrape, Settings
from figwatch_agent.model.slo import (
    Availability,
    Criterion,
    Latency,
    Probe,
    Route,
    ServiceSlos,
    Slo,
    Uptime,
)
from figwatch_agent.model.tier import Tier

CHAT = "/api/v1/chat"
MODELS = "/api/v1/models"
GATEWAY = "http://127.0.0.1:1/metrics"
START: Instant = 1_790_000_000_000

TIERS = (
    Tier(name="1h", share=Fraction(2, 100), long=HOUR, short=5 * MINUTE, severity=Severity.PAGE),
    Tier(name="6h", share=Fraction(5, 100), long=6 * HOUR, short=30 * MINUTE, severity=Severity.PAGE),
    Tier(name="1d", share=Fraction(10, 100), long=DAY, short=2 * HOUR, severity=Severity.TICKET),
    Tier(name="3d", share=Fraction(10, 100), long=3 * DAY, short=6 * HOUR, severity=Severity.TICKET),
)


def plan(name: str = "chat-to-legacy", data: DataPlan = DataPlan.STATELESS, capacity: int | None = 500) -> RollbackPlan:
    """A plan of one step that reads the gateway first."""
    call = HttpCall(method="POST", url="http://127.0.0.1:2/routes", json="{}")
    return RollbackPlan(
        name=name,
        data=data,
        legacy=LegacyFitness(
            probe=HttpCall(method="GET", url="http://127.0.0.1:3/healthz"), capacity_per_second=capacity
        ),
        gateway=GatewayReading(read=HttpCall(method="GET", url="http://127.0.0.1:2/routes"), fields=("revision",)),
        steps=(Step(id="redirect", repeat=Repeat.IDEMPOTENT, call=call, deadline=10 * SECOND),),
        verify=Verification(slo="chat-availability", within=2 * MINUTE),
    )


def service(
    objective: Fraction = Fraction(999, 1000),
    tiers: tuple[Tier, ...] = TIERS,
    routes: tuple[str, ...] = (CHAT,),
    stage: Stage = Stage.CANARY,
    early: bool = True,
) -> ServiceSlos:
    """The chat service with an SLO of each kind that the contract gives."""
    return ServiceSlos(
        path="slo/chat.yaml",
        migration="ai-assistant",
        service="chat",
        window=30 * DAY,
        routes=tuple(Route(template=route, stage=stage, rollback="chat-to-legacy") for route in routes),
        slos=(
            Slo(name="chat-availability", sli=Availability(), objective=objective, tiers=tiers, early=early),
            Slo(
                name="chat-latency",
                sli=Latency(threshold=200),
                objective=Fraction(95, 100),
                tiers=tuple(tier for tier in tiers if tier.factor(30 * DAY) * Fraction(5, 100) < 1),
                early=early,
            ),
            Slo(
                name="chat-uptime",
                sli=Uptime(probe=Probe(http="http://127.0.0.1:4/healthz", interval=5 * SECOND, timeout=SECOND)),
                objective=Fraction(999, 1000),
                tiers=tiers,
            ),
        ),
        criteria=(
            Criterion(name="uptime", measure=Measure.UPTIME, target="> 99.9%", over=MINUTE, slo="chat-uptime"),
            Criterion(name="p95", measure=Measure.LATENCY_P95, target="< 200ms", over=MINUTE),
            Criterion(name="legacy", measure=Measure.LEGACY_RATIO, target="< 1%", over=MINUTE),
            Criterion(name="mttr", measure=Measure.MTTR, target="< 15m", over=DAY),
            Criterion(name="satisfied", measure=Measure.SATISFACTION, target="kept", over=DAY),
        ),
    )


def settings(
    mode: Mode = Mode.AUTO,
    interval: Duration = SECOND,
    hold: Duration = 5 * SECOND,
    plans: tuple[RollbackPlan, ...] | None = None,
    **rollback: object,
) -> Settings:
    """figwatch.yaml with one receiver for pages and tickets."""
    return Settings(
        path="figwatch.yaml",
        source=Scrape(targets=(GATEWAY,), interval=interval),
        state="figwatch.db",
        runbook_url="https://example.org/runbooks/",
        receivers=(
            Receiver(
                name="oncall",
                kind=PagerDuty(routing_key=Secret(env="KEY")),
                severities=frozenset({Severity.PAGE, Severity.TICKET}),
            ),
        ),
        rollback=Rollback(mode=mode, plans=(plan(),) if plans is None else plans, **rollback),  # type: ignore[arg-type]  # tests name real fields
        alerting=Alerting(hold=hold),
    )


Key = tuple[str, str, str, str, str]


class World:
    """Counters of one gateway, and the engine that watches them."""

    def __init__(
        self,
        services: tuple[ServiceSlos, ...] | None = None,
        conf: Settings | None = None,
        start: Instant = START,
    ) -> None:
        self.services = services if services is not None else (service(),)
        self.settings = conf if conf is not None else settings()
        self.engine = Engine(self.services, self.settings)
        self.now = start
        self.cells: dict[Key, list[int]] = {}  # cumulative counts per bucket, the last one without a bound
        self.born: dict[Key, Instant] = {}
        self.outcomes: list[Outcome] = []
        self.up = True
        self.legacy_ok = True
        self.revision = 1
        self.gateway_read = True
        self.waiting: list[Effect] = []
        self.commands: list[Command] = []
        self.kill_switch = False
        self._table: SeriesTable | None = None
        self._keys: tuple[Key, ...] = ()

    def serve(
        self, route: str = CHAT, side: str = "service", good: int = 0, bad: int = 0, slow: int = 0, gone: int = 0
    ) -> None:
        """Requests since the last tick: fast and good, failed at once, good but slow, given up by the client."""
        for status, error, count, seconds in (
            ("200", "", good, 0.03),
            ("500", "500", bad, 0.03),
            ("200", "", slow, 0.4),
            ("", contract.CLIENT_DISCONNECT, gone, 0.03),
        ):
            if count:
                key = ("POST", route, status, error, side)
                if key not in self.cells:
                    self.cells[key] = [0] * (len(contract.BUCKETS) + 1)
                    self.born[key] = self.now
                for place, bound in enumerate((*contract.BUCKETS, float("inf"))):
                    if seconds <= bound:
                        self.cells[key][place] += count

    def tick(self, seconds: float = 1.0, **more: object) -> Outcome:
        """Let time pass, scrape, and let the engine work."""
        self.now += round(seconds * SECOND)
        effects, self.waiting = tuple(self.waiting), []
        commands, self.commands = tuple(self.commands), []
        inputs: dict[str, object] = {
            "batches": (self.batch(),),
            "probes": (ProbeResult(slo="chat-uptime", at=self.now, up=True),),
            "readings": tuple(self.readings()),
            "commands": commands,
            "effects": effects,
            "kill_switch": self.kill_switch,
        }
        inputs |= more
        outcome = self.engine.advance(Inputs(**inputs), self.now)  # type: ignore[arg-type]  # tests name real fields
        self.outcomes.append(outcome)
        return outcome

    def run(self, seconds: int, *, step: float = 1.0, **traffic: int | str) -> list[Outcome]:
        """Serve the same traffic before each of several ticks."""
        outcomes = []
        for _ in range(round(seconds / step)):
            self.serve(**traffic)  # type: ignore[arg-type]  # tests name real parameters
            outcomes.append(self.tick(step))
        return outcomes

    def both(
        self, seconds: int, *, service_bad: int = 0, legacy_bad: int = 0, rate: int = 40, legacy: int = 10
    ) -> None:
        """Seconds of steady traffic on both sides of the chat route."""
        for _ in range(seconds):
            self.serve(side="service", good=rate - service_bad, bad=service_bad)
            self.serve(side="legacy", good=legacy - legacy_bad, bad=legacy_bad)
            self.tick()

    def batch(self) -> Batch:
        """The gateway's page now."""
        if not self.up:
            return down(GATEWAY, self.now, "refused")
        keys = tuple(self.cells)
        if self._table is None or keys != self._keys:
            self._keys, self._table = keys, _table(keys)
        values: list[int] = []
        created: list[int] = []
        for key in keys:
            values += [*self.cells[key], self.cells[key][-1]]
            created += [self.born[key]] * (len(contract.BUCKETS) + 2)
        return Batch(
            target=GATEWAY,
            at=self.now,
            up=True,
            table=self._table,
            values=np.array(values, dtype=np.float64),
            created=np.array(created, dtype=np.int64),
        )

    def restart_gateway(self) -> None:
        """All counters begin anew."""
        self.cells, self.born, self._table = {}, {}, None

    def readings(self) -> Iterable[Reading]:
        """Legacy's probe and the gateway's revision."""
        for each in self.settings.rollback.plans:
            detail = "200 in 3 ms" if self.legacy_ok else "503 in 3 ms"
            yield Reading(name=f"{each.name}/legacy", at=self.now, ok=self.legacy_ok, detail=detail)
            if self.gateway_read:
                value = f'{{"revision":{self.revision}}}'
                yield Reading(name=f"{each.name}/gateway", at=self.now, ok=True, detail="200", value=value)

    def rolled_back(self, state: RollbackState = RollbackState.DONE) -> None:
        """The runner reports the end of the newest rollback with the next tick."""
        intent = self.intents()[-1]
        self.waiting.append(
            RollbackEffect(
                id=f"{intent}/{state.value}", at=self.now, rollback=intent, incident=intent.split("/")[0], state=state
            )
        )

    def accepted(self, row: OutboxRow) -> None:
        """The receiver took a page; reported with the next tick."""
        self.waiting.append(
            DeliveryEffect(
                id=f"{row.id}/accepted",
                at=self.now,
                row=row.id,
                incident=row.page.incident.id,
                receiver=row.receiver,
                kind=row.page.kind.value,
                state=DeliveryState.ACCEPTED,
                attempts=1,
            )
        )

    def rows(self, kind: PageKind | None = None) -> list[OutboxRow]:
        """Everything told so far."""
        rows = [row for outcome in self.outcomes for row in outcome.outbox]
        return [row for row in rows if kind is None or row.page.kind is kind]

    def intents(self) -> list[str]:
        """Ids of rollbacks decided so far."""
        return [intent.id for outcome in self.outcomes for intent in outcome.intents]

    def said(self, kind: TransitionKind) -> list[str]:
        """Texts of transitions so far."""
        return [t.text for outcome in self.outcomes for t in outcome.transitions if t.kind is kind]

    def incident(self) -> Incident:
        """The newest incident as the last Outcome that touched it left it."""
        return [incident for outcome in self.outcomes for incident in outcome.incidents][-1]


def _table(keys: tuple[Key, ...]) -> SeriesTable:
    series: list[Series] = []
    for method, route, status, error, side in keys:
        labels = {
            contract.METHOD: method,
            contract.ROUTE: route,
            contract.STATUS: status,
            contract.ERROR_TYPE: error,
            contract.SERVED_BY: side,
            contract.VANTAGE: "edge",
        }
        for bound in (*(str(bound) for bound in contract.BUCKETS), "+Inf"):
            pairs = tuple(sorted({**labels, "le": bound}.items()))
            series.append(Series(name=contract.REQUEST_DURATION + "_bucket", labels=pairs))
        series.append(Series(name=contract.REQUEST_DURATION + "_count", labels=tuple(sorted(labels.items()))))
    return SeriesTable(tuple(series), frozenset({contract.REQUEST_DURATION}))
