"""What the workers keep in the store: outbox rows with their state, rollbacks with their steps."""

from dataclasses import dataclass
from enum import StrEnum

from figwatch_agent.durations import Duration, Instant
from figwatch_agent.model.effect import DeliveryState, RollbackState
from figwatch_agent.model.intent import RollbackIntent
from figwatch_agent.model.page import OutboxRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An outbox row and how far it got."""

    row: OutboxRow
    state: DeliveryState
    attempts: int  # begun so far
    created_at: Instant
    next_at: Instant  # not tried before
    reason: str = ""  # of the last failure
    ambiguous: bool = False  # an earlier attempt may have arrived
    original_receiver: str = ""  # who it was for, where it went to a fallback
    message_id: str = ""  # what its receiver calls the message that stands for the page's group, once it took one


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A group of pages that a receiver knows, and by what."""

    incident: str
    group: str
    message_id: str


class DeliveryResultKind(StrEnum):
    """What became of one attempt."""

    ACCEPTED = "accepted"
    RETRY = "retry"  # did not arrive; trying again may help
    REFUSED = "refused"  # never will be taken in this form
    UNCONFIRMED = "unconfirmed"  # it may have arrived: the reply was lost


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryResult:
    """What one attempt gave. ``reason`` is a closed word: see figwatch_agent.notify.reasons."""

    kind: DeliveryResultKind
    reason: str = ""
    detail: str = ""
    retry_after: Duration | None = None  # as the receiver asked, uncapped
    message_id: str = ""  # what the receiver calls the message that now stands for the page's group


class StepState(StrEnum):
    """Where a step stands in the journal."""

    INTENDED = "intended"  # committed before the effect
    DONE = "done"
    FAILED = "failed"
    COMPENSATING = "compensating"  # intent of the compensation
    COMPENSATED = "compensated"
    COMPENSATION_FAILED = "compensation_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEntry:
    """One line of the journal."""

    rollback: str
    step: str
    state: StepState
    attempt: int
    at: Instant
    key: str  # idempotency key handed to keyed steps
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackRecord:
    """An intent, its state and its journal so far, oldest entry first."""

    intent: RollbackIntent
    state: RollbackState
    entries: tuple[StepEntry, ...] = ()


class ActionResultKind(StrEnum):
    """What became of one call of an action."""

    DONE = "done"
    FAILED = "failed"  # it certainly did not take effect, or said that it failed
    UNKNOWN = "unknown"  # it may have taken effect: timed out, connection lost


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionResult:
    """What one call gave."""

    kind: ActionResultKind
    detail: str  # for people: status and the first of the answer, secrets never
    body: str = ""  # of the answer, capped, for readings
