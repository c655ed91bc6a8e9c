"""A worker for every receiver, and what wakes them."""

import asyncio
from collections.abc import Sequence
from random import Random

from figwatch_agent.clock import Clock
from figwatch_agent.model.journal import DeliveryResult
from figwatch_agent.model.settings import Receiver
from figwatch_agent.notify.alertmanager_notifier import AlertmanagerNotifier
from figwatch_agent.notify.alertmanager_resend import Resender
from figwatch_agent.notify.emergency import Emergency
from figwatch_agent.notify.worker import Worker
from figwatch_agent.ports import Notifier
from figwatch_agent.store.sqlite import SqliteStore
from figwatch_agent.telemetry import Telemetry


class Wake:
    """Tells every worker that something was committed."""

    def __init__(self) -> None:
        self._events: list[asyncio.Event] = []

    def event(self) -> asyncio.Event:
        """An event of a worker's own."""
        event = asyncio.Event()
        self._events.append(event)
        return event

    def __call__(self) -> None:
        for event in self._events:
            event.set()


def resenders(
    receivers: Sequence[tuple[Receiver, Notifier]], store: SqliteStore, clock: Clock
) -> list[tuple[str, Resender]]:
    """One for each receiver that must be told again and again, by name."""
    return [
        (receiver.name, Resender(receiver.name, notifier, store, clock))
        for receiver, notifier in receivers
        if isinstance(notifier, AlertmanagerNotifier)
    ]


def workers(
    receivers: Sequence[tuple[Receiver, Notifier]],
    store: SqliteStore,
    emergency: Emergency,
    clock: Clock,
    wake: Wake,
    telemetry: Telemetry,
) -> list[Worker]:
    """One for each receiver, in the order of the file."""

    def observe(receiver: str, result: DeliveryResult) -> None:
        telemetry.delivered(receiver, result.kind.value)

    return [
        Worker(
            receiver,
            store,
            notifier,
            clock=clock,
            random=Random(),  # noqa: S311 (jitter, not secrets)
            wake=wake.event(),
            sent_already=emergency.sent,
            observe=observe,
        )
        for receiver, notifier in receivers
    ]
