"""A worker for every receiver, and what wakes them."""

import asyncio
from collections.abc import Sequence
from random import Random

from figwatch_agent.clock import Clock
from figwatch_agent.model.journal import DeliveryResult
from figwatch_agent.model.settings import Receiver
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
