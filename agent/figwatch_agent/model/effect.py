"""What the workers did with committed rows; it comes back to the loop as input."""

from dataclasses import dataclass
from enum import StrEnum

from figwatch_agent.durations import Instant


class RollbackState(StrEnum):
    """Where the execution of a plan stands."""

    COMMITTED = "committed"  # intended, not begun
    RUNNING = "running"
    DONE = "done"  # every step done; whether it helped is verified by the engine
    COMPENSATED = "compensated"  # a step failed and what came before was undone
    FAILED = "failed"  # a step failed and compensation failed or does not exist
    NEEDS_HUMAN = "needs_human"  # a step may have happened and must not be repeated
    EXPIRED = "expired"  # not begun in time: the reasons may be stale
    ABANDONED = "abandoned"  # not begun: the gateway changed since, or the kill switch is set

    @property
    def final(self) -> bool:
        """Whether nothing more will happen."""
        return self not in (RollbackState.COMMITTED, RollbackState.RUNNING)


class DeliveryState(StrEnum):
    """Where an outbox row stands."""

    PENDING = "pending"
    SENDING = "sending"  # an attempt was begun
    ACCEPTED = "accepted"
    UNCONFIRMED = "unconfirmed"  # it may have arrived; no more attempts
    DEAD = "dead"  # refused for good, or too old; went to the fallback where there is one

    @property
    def final(self) -> bool:
        """Whether no more attempts follow."""
        return self in (DeliveryState.ACCEPTED, DeliveryState.UNCONFIRMED, DeliveryState.DEAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackEffect:
    """A change of a rollback's state; ``step`` is the one it ended at, where it ended at one."""

    id: str  # unique, derived from rollback, step and state
    at: Instant
    rollback: str  # id of the intent
    incident: str
    state: RollbackState
    step: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryEffect:
    """The end of an outbox row."""

    id: str
    at: Instant
    row: str  # idempotency key
    incident: str
    receiver: str
    kind: str  # PageKind of the row: trigger, update, resolve, information
    state: DeliveryState
    attempts: int
    reason: str = ""


Effect = RollbackEffect | DeliveryEffect
