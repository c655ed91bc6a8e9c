"""An agent's half of the talk with an Alertmanager: outbox, worker and resender on a clock of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from random import Random

from figwatch_agent.clock import ManualClock
from figwatch_agent.durations import MINUTE, Duration
from figwatch_agent.model.decision import DecisionOutcome, Reason
from figwatch_agent.model.outcome import Outcome
from figwatch_agent.model.page import OutboxRow, Page, PageKind
from figwatch_agent.model.settings import Alertmanager
from figwatch_agent.notify.alertmanager_notifier import AlertmanagerNotifier
from figwatch_agent.notify.alertmanager_resend import Resender
from figwatch_agent.notify.worker import Worker
from figwatch_agent.store.memory import MemoryStore
from support.alertmanager_model import Labels, ModelAlertmanager, Wire
from support.message_incidents import an_alert, failing
from support.model_values import NOON
from support.notify import Asleep, ManualWait, reading, receiver

NAME = "alertmanager"
ONE = "http://one:9093"
TWO = "http://two:9093"


@dataclass(slots=True)
class Agent:
    """Lives several lives on one store."""

    urls: tuple[str, ...] = (ONE,)
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOON))
    store: MemoryStore = field(default_factory=MemoryStore)
    ends: dict[str, ModelAlertmanager] = field(init=False)
    wire: Wire = field(init=False)
    notifier: AlertmanagerNotifier = field(init=False)
    worker: Worker = field(init=False)
    resender: Resender = field(init=False)
    committed: int = 0

    def __post_init__(self) -> None:
        self.ends = {url: ModelAlertmanager(self.clock) for url in self.urls}
        self.wire = Wire(dict(self.ends))
        self.begin()

    def begin(self) -> None:
        """A life: what was known in memory is gone."""
        settings, wait = Alertmanager(urls=self.urls, resend=MINUTE), ManualWait(self.clock)
        self.notifier = AlertmanagerNotifier(settings, self.wire.session, reading(""), self.clock)
        self.worker = Worker(
            receiver(NAME, settings),
            self.store,
            self.notifier,
            clock=self.clock,
            random=Random(7),
            wake=asyncio.Event(),
            wait=wait,
        )
        self.resender = Resender(NAME, self.notifier, self.store, self.clock, wait)

    async def tell(self, *pages: Page) -> None:
        """The loop commits pages."""
        rows: list[OutboxRow] = []
        for page in pages:
            self.committed += 1
            row = f"{page.group}/{self.committed}/{NAME}"
            rows.append(OutboxRow(id=row, receiver=NAME, incident=page.incident.id, page=page))
        sequence = (await self.store.load()).sequence + 1
        await self.store.commit(Outcome(sequence=sequence, at=self.clock.now(), outbox=tuple(rows)))

    async def work(self) -> None:
        """Until nothing can be delivered at this instant, and nothing is to be said again."""
        while await self.worker.turn():
            pass
        await self.resender.turn()

    async def pass_time(self, duration: Duration) -> None:
        """Work at every instant at which there is something to do."""
        until = self.clock.now() + duration
        while True:
            with suppress(Asleep):
                await self.work()
            dues = (await self.store.next_due(NAME), self.notifier.next_due())
            due = min((max(each, self.clock.now() + 1) for each in dues if each is not None), default=until + 1)
            if due > until:
                break
            self.clock.advance(due - self.clock.now())
        self.clock.advance(until - self.clock.now())


def page(number: int, kind: PageKind, at: int, *, asks: bool = False) -> Page:
    """A page about the incident of this number; its labels and its start tell it from all others."""
    route = f"/api/v1/{number}"
    start = NOON + number
    decision = (
        (DecisionOutcome.AWAITING_APPROVAL, Reason.AWAITING_APPROVAL)
        if asks
        else (DecisionOutcome.ROLLBACK, Reason.CONDITIONS_HOLD)
    )
    incident = replace(
        failing(*decision),
        id=f"incident-{number}",
        route=route,
        impact_start=start,
        alerts=(an_alert(route=route),),
        resolved_at=at if kind is PageKind.RESOLVE else None,
    )
    return Page(
        kind=kind,
        headline=f"{route}: {kind.value} at {at}",
        incident=incident,
        group=incident.id,
        severity=incident.severity,
        at=at,
        facts=None,
        action="",
        runbook_url="",
        status_url=None,
    )


def named(alerts: Sequence[Labels]) -> list[str]:
    """The incidents, and what they ask, of these alerts."""
    told = [dict(labels) for labels in alerts]
    return sorted(
        f"{labels['figwatch_incident']}{'?' if 'asks' in labels else ''}/{labels['severity']}" for labels in told
    )
