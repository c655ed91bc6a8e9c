"""Answers that an engine did not read in time, and how they are told when it reads them."""

from dataclasses import dataclass

from figwatch_agent.durations import Instant
from figwatch_agent.model.batch import Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Answers of one scrape target that were not read: those between two that were."""

    target: str
    after: Instant  # told up to here
    until: Instant  # counting goes on from the answer of this instant


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Past:
    """Answers of past scrapes: every one of (after, until] that is missing, oldest first."""

    after: Instant
    until: Instant
    batches: tuple[Batch, ...]
