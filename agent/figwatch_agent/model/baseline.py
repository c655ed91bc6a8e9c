"""The value before the migration that a criterion is compared with, recorded once and then left alone."""

from dataclasses import dataclass
from fractions import Fraction

from figwatch_agent.durations import Instant
from figwatch_agent.model.names import Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedBaseline:
    """One baseline, frozen: events that come or go later change nothing."""

    criterion: str
    measure: Measure
    value: Fraction  # in ``unit``
    unit: str
    count: int | None  # events it was made of; None where somebody gave the value
    start: Instant | None  # of the window it was counted in
    end: Instant | None
    recorded_at: Instant
    actor: str
    why: str = ""
