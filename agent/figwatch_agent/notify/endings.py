"""What becomes of an outbox row after an attempt: the rules, without the doing."""

from dataclasses import dataclass
from random import Random
from typing import Final

from figwatch_agent.durations import DAY, Duration, Instant
from figwatch_agent.model.effect import DeliveryEffect, DeliveryState
from figwatch_agent.model.journal import Delivery, DeliveryResult, DeliveryResultKind
from figwatch_agent.model.page import PageKind
from figwatch_agent.notify.backoff import next_wait
from figwatch_agent.notify.reasons import CURABLE, DeliveryReason

GIVE_UP_AFTER: Final[Duration] = DAY
LEAST_ATTEMPTS: Final = 8
"""Age alone ends nothing: a row that waited while the agent was off, or came from another receiver, gets its tries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """No more attempts; a dead row goes to the fallback, where there is one."""

    state: DeliveryState
    reason: str = ""
    fallback: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Postponed:
    """Another attempt at ``next_at``."""

    next_at: Instant
    reason: str
    ambiguous: bool


def after(
    delivery: Delivery, result: DeliveryResult, *, now: Instant, fallback: str | None, random: Random
) -> Ended | Postponed:
    """What follows from ``result`` for a row whose attempt (counted in ``delivery.attempts``) has ended."""
    if result.kind is DeliveryResultKind.ACCEPTED:
        return Ended(state=DeliveryState.ACCEPTED)
    ambiguous = delivery.ambiguous or result.kind is DeliveryResultKind.UNCONFIRMED
    if result.kind is DeliveryResultKind.REFUSED and (fallback is not None or result.reason not in CURABLE):
        return Ended(state=DeliveryState.DEAD, reason=result.reason, fallback=fallback)
    if _given_up(delivery, now):
        return _too_old(ambiguous, fallback)
    wait = next_wait(delivery.attempts, result.retry_after, random)
    return Postponed(next_at=now + wait, reason=result.reason, ambiguous=ambiguous)


def effect_of(delivery: Delivery, ended: Ended, now: Instant) -> DeliveryEffect:
    """The end of a row at one receiver, as it goes to the inbox. A row may end at several, one after the other."""
    row = delivery.row
    return DeliveryEffect(
        id=f"{row.id}/{row.receiver}/{ended.state.value}",
        at=now,
        row=row.id,
        incident=row.incident,
        receiver=row.receiver,
        kind=row.page.kind.value,
        state=ended.state,
        attempts=delivery.attempts,
        reason=ended.reason,
    )


def _given_up(delivery: Delivery, now: Instant) -> bool:
    # A resolve is tried for ever: given up, it would leave an alert open that is over.
    if delivery.row.page.kind is PageKind.RESOLVE:
        return False
    return delivery.attempts >= LEAST_ATTEMPTS and now - delivery.created_at > GIVE_UP_AFTER


def _too_old(ambiguous: bool, fallback: str | None) -> Ended:
    maybe_told = ambiguous and fallback is None
    state = DeliveryState.UNCONFIRMED if maybe_told else DeliveryState.DEAD
    return Ended(state=state, reason=DeliveryReason.TOO_OLD.value, fallback=fallback)
