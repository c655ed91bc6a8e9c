"""What is to be done next with a rollback, judged from its plan and its journal alone: resuming is nothing special."""

from collections.abc import Sequence
from dataclasses import dataclass

from figwatch_agent.model.effect import RollbackState
from figwatch_agent.model.journal import StepEntry, StepState
from figwatch_agent.model.names import Repeat
from figwatch_agent.model.plan import RollbackPlan, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Perform:
    """Do this step; ``attempt`` counts from 1."""

    step: Step
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Clarify:
    """This step was begun and its outcome is not known."""

    step: Step
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """Run the compensation of this step."""

    step: Step
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClarifyUndo:
    """The compensation of this step was begun and its outcome is not known."""

    step: Step
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """Nothing more is to be done."""

    state: RollbackState
    step: str | None = None
    detail: str = ""


Move = Perform | Clarify | Undo | ClarifyUndo | Finish


def next_move(plan: RollbackPlan, entries: Sequence[StepEntry]) -> Move:
    """The one next thing. Steps go in order; after a failure the steps that were done are undone in reverse."""
    last = {entry.step: entry for entry in entries}
    failed = next((entry for entry in entries if entry.state is StepState.FAILED), None)
    if failed is not None:
        return _back(plan, last, failed)
    for step in plan.steps:
        entry = last.get(step.id)
        if entry is None:
            return Perform(step=step, attempt=1)
        if entry.state is StepState.INTENDED:
            return Clarify(step=step, attempt=entry.attempt)
    return Finish(state=RollbackState.DONE)


def repeatable(step: Step) -> bool:
    """Whether doing it again is safe without knowing whether it was done."""
    return step.repeat in (Repeat.IDEMPOTENT, Repeat.KEYED)


def _back(plan: RollbackPlan, last: dict[str, StepEntry], failed: StepEntry) -> Move:
    for step in reversed(plan.steps):
        entry = last.get(step.id)
        if entry is None or entry.state in (StepState.FAILED, StepState.COMPENSATED):
            continue
        # What cannot be undone ends it: the steps before may be what this one stands on.
        if entry.state is StepState.COMPENSATION_FAILED:
            return _stuck(step, f"step {failed.step} failed and step {step.id} could not be undone: {entry.detail}")
        if step.compensation is None:
            return _stuck(step, f"step {failed.step} failed and step {step.id} has no compensation")
        if entry.state is StepState.COMPENSATING:
            return ClarifyUndo(step=step, attempt=entry.attempt)
        return Undo(step=step, attempt=1)
    return Finish(state=RollbackState.COMPENSATED, step=failed.step, detail=f"step {failed.step}: {failed.detail}")


def _stuck(step: Step, detail: str) -> Finish:
    return Finish(state=RollbackState.FAILED, step=step.id, detail=detail)
