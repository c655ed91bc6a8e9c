"""Pages from memory, for when the store cannot be written: the one thing that is done without having been committed.

A row is sent under the same idempotency key that the outbox would use, so receivers that deduplicate see one page
however often the same Outcome is offered, and whatever the outbox sends later.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from random import Random

from figwatch_agent.clock import Clock
from figwatch_agent.durations import SECOND
from figwatch_agent.model.effect import DeliveryState
from figwatch_agent.model.journal import Delivery, DeliveryResult, DeliveryResultKind
from figwatch_agent.model.page import OutboxRow
from figwatch_agent.model.settings import Receiver
from figwatch_agent.notify.backoff import next_wait
from figwatch_agent.notify.pace import Pace
from figwatch_agent.notify.pause import Wait, wait_for
from figwatch_agent.notify.reasons import DeliveryReason
from figwatch_agent.ports import Notifier


class Emergency:
    """Sends rows of Outcomes that could not be committed, first in, first out per receiver."""

    def __init__(
        self,
        receivers: Sequence[tuple[Receiver, Notifier]],
        *,
        clock: Clock,
        random: Random,
        wait: Wait = wait_for,
    ) -> None:
        self._clock = clock
        self._known: set[str] = set()
        self._sent: dict[tuple[str, str], str] = {}  # row, receiver -> what the receiver calls it
        self._tried: dict[str, set[str]] = {}  # receivers of a row that was refused
        self._lanes: Mapping[str, _Lane] = {
            receiver.name: _Lane(self, receiver, notifier, clock=clock, random=random, wait=wait)
            for receiver, notifier in receivers
        }

    def offer(self, rows: Iterable[OutboxRow]) -> None:
        """Take rows that could not be committed. Rows that were offered before are known and ignored."""
        for row in rows:
            if row.id not in self._known and row.receiver in self._lanes:
                self._known.add(row.id)
                self._lanes[row.receiver].add(self._fresh(row))

    def store_is_back(self) -> None:
        """Leave what was not sent to the outbox, which has it now."""
        for lane in self._lanes.values():
            self._known -= lane.clear()

    def sent(self, row: str, receiver: str) -> str | None:
        """What this receiver calls this row, which it accepted from memory; None where it did not."""
        return self._sent.get((row, receiver))

    async def run(self) -> None:
        """Send what is offered until cancelled, also where there is nobody to send anything to."""
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes.values():
                group.create_task(lane.run())
            await asyncio.Event().wait()

    def accepted(self, delivery: Delivery, message_id: str) -> None:
        """A lane's row was taken."""
        self._sent[delivery.row.id, delivery.row.receiver] = message_id

    def refused(self, delivery: Delivery, fallback: str | None) -> None:
        """A lane's row was refused for good: its fallback gets it, unless the row has been there already."""
        row = delivery.row
        tried = self._tried.setdefault(row.id, {row.receiver})
        if fallback is None or fallback in tried or fallback not in self._lanes:
            return
        tried.add(fallback)
        origin = delivery.original_receiver or row.receiver
        heir = self._fresh(replace(row, receiver=fallback))
        self._lanes[fallback].add(replace(heir, original_receiver=origin))

    def _fresh(self, row: OutboxRow) -> Delivery:
        now = self._clock.now()
        return Delivery(row=row, state=DeliveryState.PENDING, attempts=0, created_at=now, next_at=now)


class _Lane:
    """One receiver's queue."""

    def __init__(
        self, emergency: Emergency, receiver: Receiver, notifier: Notifier, *, clock: Clock, random: Random, wait: Wait
    ) -> None:
        self._emergency = emergency
        self._receiver = receiver
        self._notifier = notifier
        self._clock = clock
        self._random = random
        self._wait = wait
        self._queue: deque[Delivery] = deque()
        self._offered = asyncio.Event()
        self._never = asyncio.Event()
        self._pace = Pace(receiver)

    def add(self, delivery: Delivery) -> None:
        self._queue.append(delivery)
        self._offered.set()

    def clear(self) -> set[str]:
        forgotten = {delivery.row.id for delivery in self._queue}
        self._queue.clear()
        return forgotten

    async def run(self) -> None:
        while True:
            self._offered.clear()
            if not self._queue:
                await self._wait(self._offered, None)
                continue
            head = self._queue[0]
            hold = max(head.next_at - self._clock.now(), self._pace.hold_for(self._clock.now()))
            if hold > 0:
                await self._wait(self._never, hold)
                continue
            await self._attempt(head)

    async def _attempt(self, delivery: Delivery) -> None:
        begun = replace(delivery, attempts=delivery.attempts + 1, state=DeliveryState.SENDING)
        self._pace.began(self._clock.now())
        result = await self._deliver(begun)
        self._pace.ended(self._clock.now(), result)
        if result.kind is DeliveryResultKind.ACCEPTED:
            self._emergency.accepted(delivery, result.message_id)
        if not self._queue or self._queue[0] is not delivery:
            return  # the store came back meanwhile: the outbox goes on with it
        self._queue.popleft()
        if result.kind is DeliveryResultKind.REFUSED:
            self._emergency.refused(delivery, self._receiver.fallback)
        elif result.kind is not DeliveryResultKind.ACCEPTED:
            self._queue.appendleft(self._later(begun, result))

    def _later(self, delivery: Delivery, result: DeliveryResult) -> Delivery:
        wait = next_wait(delivery.attempts, result.retry_after, self._random)
        unsure = delivery.ambiguous or result.kind is DeliveryResultKind.UNCONFIRMED
        return replace(delivery, next_at=self._clock.now() + max(wait, SECOND), ambiguous=unsure)

    async def _deliver(self, delivery: Delivery) -> DeliveryResult:
        try:
            return await self._notifier.deliver(delivery)
        except Exception as error:  # noqa: BLE001 (one row that cannot be put into words must not silence the rest)
            reason = DeliveryReason.INTERNAL.value
            return DeliveryResult(kind=DeliveryResultKind.REFUSED, reason=reason, detail=type(error).__name__)
