"""One worker per receiver: takes committed outbox rows, oldest first, and keeps at each until it has ended.

Remember, act, mark done: the attempt is committed before it is made and its result after. A kill in between leaves the
row in state ``sending``; it is sent again under the same idempotency key.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from random import Random
from typing import Final

import structlog

from figwatch_agent.clock import Clock
from figwatch_agent.durations import SECOND, Duration
from figwatch_agent.errors import StoreUnavailable
from figwatch_agent.model.effect import DeliveryState
from figwatch_agent.model.journal import Delivery, DeliveryResult, DeliveryResultKind
from figwatch_agent.model.settings import Receiver
from figwatch_agent.notify.endings import Ended, Postponed, after, effect_of
from figwatch_agent.notify.pace import Pace
from figwatch_agent.notify.pause import Wait, wait_for
from figwatch_agent.notify.reasons import DeliveryReason
from figwatch_agent.notify.stale import as_information, is_over
from figwatch_agent.ports import Notifier, Outbox

STORE_PAUSE: Final[Duration] = SECOND
"""Between two tries at a store that does not take writes."""

SentAlready = Callable[[str, str], str | None]
"""What the receiver calls a row (id, receiver) that it accepted while the store was gone; None where it did not."""
Observe = Callable[[str, DeliveryResult], None]
"""Told of every attempt: receiver and result."""

_log = structlog.get_logger(__name__)


def _never_sent(row: str, receiver: str) -> str | None:
    return None


def _unobserved(receiver: str, result: DeliveryResult) -> None:
    return


class Worker:
    """Delivers the rows of one receiver. ``wake`` is this worker's own event, set after every commit."""

    def __init__(
        self,
        receiver: Receiver,
        outbox: Outbox,
        notifier: Notifier,
        *,
        clock: Clock,
        random: Random,
        wake: asyncio.Event,
        wait: Wait = wait_for,
        sent_already: SentAlready = _never_sent,
        observe: Observe = _unobserved,
    ) -> None:
        self._receiver = receiver
        self._outbox = outbox
        self._notifier = notifier
        self._clock = clock
        self._random = random
        self._wake = wake
        self._wait = wait
        self._sent_already = sent_already
        self._observe = observe
        self._pace = Pace(receiver)
        self._never = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled; nothing that a row or the store does ends it."""
        while True:
            try:
                # Cleared before looking: a commit that comes after the look sets it again.
                self._wake.clear()
                if not await self.turn():
                    await self._idle()
            except Exception as error:  # noqa: BLE001 (the edge of a turn: the rows behind must still go out)
                _log.warning("delivery turn failed", receiver=self._receiver.name, error=type(error).__name__)
                await self._pause(STORE_PAUSE)

    async def turn(self) -> bool:
        """Try one row; False where none may be tried now."""
        await self._pause(self._pace.hold_for(self._clock.now()))
        delivery = await self._outbox.next_delivery(self._receiver.name, self._clock.now())
        if delivery is None:
            return False
        known_as = self._sent_already(delivery.row.id, self._receiver.name)
        if known_as is not None:
            ended = Ended(state=DeliveryState.ACCEPTED, reason=DeliveryReason.SENT_FROM_MEMORY.value)
            await self._finish(delivery, ended, known_as)
        else:
            await self._attempt(delivery)
        return True

    async def _attempt(self, delivery: Delivery) -> None:
        over = is_over(delivery, await self._outbox.deliveries(delivery.row.incident))
        begun = replace(delivery, state=DeliveryState.SENDING, attempts=delivery.attempts + 1)
        await self._outbox.begin_delivery(delivery.row.id, begun.attempts, self._clock.now())
        self._pace.began(self._clock.now())
        result = await self._deliver(as_information(begun) if over else begun)
        self._pace.ended(self._clock.now(), result)
        self._observe(self._receiver.name, result)
        await self._settle(begun, result)

    async def _deliver(self, delivery: Delivery) -> DeliveryResult:
        try:
            return await self._notifier.deliver(delivery)
        except Exception as error:  # noqa: BLE001 (a row that cannot be put into words goes to the fallback)
            _log.error("delivery failed inside figwatch", row=delivery.row.id, error=type(error).__name__)
            return DeliveryResult(
                kind=DeliveryResultKind.REFUSED, reason=DeliveryReason.INTERNAL.value, detail=type(error).__name__
            )

    async def _settle(self, delivery: Delivery, result: DeliveryResult) -> None:
        now = self._clock.now()
        following = after(delivery, result, now=now, fallback=self._receiver.fallback, random=self._random)
        if isinstance(following, Ended):
            await self._finish(delivery, following, result.message_id)
            return
        _log.info("delivery postponed", row=delivery.row.id, reason=following.reason, attempts=delivery.attempts)
        await self._remember(lambda: self._postpone(delivery, following))

    async def _postpone(self, delivery: Delivery, postponed: Postponed) -> None:
        await self._outbox.postpone_delivery(delivery.row.id, postponed.next_at, postponed.reason, postponed.ambiguous)

    async def _finish(self, delivery: Delivery, ended: Ended, known_as: str) -> None:
        row, effect = delivery.row.id, effect_of(delivery, ended, self._clock.now())
        message_id = known_as if ended.state is DeliveryState.ACCEPTED else ""
        await self._remember(lambda: self._outbox.finish_delivery(row, ended.state, effect, ended.fallback, message_id))

    async def _remember(self, write: Callable[[], Awaitable[None]]) -> None:
        # What was done is known only here: forgetting it would send the row again.
        while True:
            try:
                return await write()
            except StoreUnavailable:
                await self._pause(STORE_PAUSE)

    async def _idle(self) -> None:
        due = await self._outbox.next_due(self._receiver.name)
        await self._wait(self._wake, None if due is None else max(due - self._clock.now(), 0))

    async def _pause(self, duration: Duration) -> None:
        until = self._clock.now() + duration
        while (left := until - self._clock.now()) > 0:
            await self._wait(self._never, left)
