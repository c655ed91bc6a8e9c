"""Parts for tests of deliveries: a receiver that deduplicates, time that passes when somebody waits, golden files."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from figwatch_agent.clock import ManualClock
from figwatch_agent.durations import Duration, Instant
from figwatch_agent.model.journal import Delivery, DeliveryResult, DeliveryResultKind
from figwatch_agent.model.names import Severity
from figwatch_agent.model.secret import Secret
from figwatch_agent.model.settings import Receiver, ReceiverKind, Webhook

GOLDEN: Final = Path(__file__).parent.parent / "golden" / "notify"

ACCEPTED: Final = DeliveryResult(kind=DeliveryResultKind.ACCEPTED)
RETRY: Final = DeliveryResult(kind=DeliveryResultKind.RETRY, reason="server_error")
REFUSED: Final = DeliveryResult(kind=DeliveryResultKind.REFUSED, reason="rejected")
LOST: Final = DeliveryResult(kind=DeliveryResultKind.UNCONFIRMED, reason="no_answer")
"""The receiver takes it and the reply is lost."""

Answers = Callable[[Delivery], DeliveryResult]


def always(result: DeliveryResult) -> Answers:
    """The same answer for everything."""
    return lambda delivery: result


@dataclass(slots=True)
class FakeReceiver:
    """ports.Notifier with a script. What was accepted is kept, and deduplicated by the row's id."""

    answers: Answers = field(default_factory=lambda: always(ACCEPTED))
    attempts: list[Delivery] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)  # ids in order of first arrival

    async def deliver(self, delivery: Delivery) -> DeliveryResult:
        self.attempts.append(delivery)
        result = self.answers(delivery)
        arrived = result.kind in (DeliveryResultKind.ACCEPTED, DeliveryResultKind.UNCONFIRMED)
        if arrived and delivery.row.id not in self.seen:
            self.seen.append(delivery.row.id)
        return result

    async def close(self) -> None:
        return


@dataclass(slots=True)
class ThreadedReceiver:
    """ports.Notifier of a receiver with threads that does not deduplicate: what arrives twice stands there twice."""

    answers: Answers = field(default_factory=lambda: always(ACCEPTED))
    standing: list[tuple[str, str, str]] = field(default_factory=list)  # id of the row, its own name, its thread

    async def deliver(self, delivery: Delivery) -> DeliveryResult:
        result = self.answers(delivery)
        if result.kind not in (DeliveryResultKind.ACCEPTED, DeliveryResultKind.UNCONFIRMED):
            return result
        name = f"C0/{len(self.standing) + 1}"
        self.standing.append((delivery.row.id, name, delivery.message_id))
        return replace(result, message_id=delivery.message_id or name) if result == ACCEPTED else result

    async def close(self) -> None:
        return


class Asleep(BaseException):
    """Somebody waits and nothing will happen any more; the worker must not catch it."""


@dataclass(slots=True)
class ManualWait:
    """Waiting moves the clock. Waiting for ever is the end of the test's story."""

    clock: ManualClock
    waited: list[Duration] = field(default_factory=list)

    async def __call__(self, event: asyncio.Event, duration: Duration | None) -> None:
        if event.is_set():
            return
        if duration is None:
            raise Asleep
        self.waited.append(duration)
        self.clock.advance(duration)


def receiver(name: str = "oncall", kind: ReceiverKind | None = None, fallback: str | None = None) -> Receiver:
    """A receiver of pages and tickets; a plain webhook unless told otherwise."""
    return Receiver(
        name=name,
        kind=kind or Webhook(url="http://127.0.0.1:1/hook"),
        severities=frozenset(Severity),
        fallback=fallback,
    )


def reading(value: str) -> Callable[[Secret], str]:
    """Every secret has this value."""
    return lambda secret: value


def told(document: object) -> str:
    """JSON for people who read a golden file."""
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def at(clock: ManualClock, instant: Instant) -> None:
    """Move the clock on to ``instant``."""
    clock.advance(instant - clock.now())
