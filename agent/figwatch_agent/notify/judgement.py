"""What the guard said and what a rollback came to, in sentences."""

from typing import Final

from figwatch_agent.model.decision import Condition, DecisionOutcome
from figwatch_agent.model.effect import RollbackState
from figwatch_agent.model.incident import Incident, RollbackVerdict
from figwatch_agent.model.names import Tri
from figwatch_agent.model.page import Page, PageKind

_HOLDS: Final = {Tri.YES: "holds", Tri.NO: "does not hold", Tri.UNKNOWN: "is unknown"}
_DECIDED: Final = {
    DecisionOutcome.ROLLBACK: "Rollback decided",
    DecisionOutcome.WITHHELD: "Rollback withheld",
    DecisionOutcome.DRY_RUN: "Dry run: nothing is changed",
    DecisionOutcome.AWAITING_APPROVAL: "Rollback waits for a person's approval",
}
_STATES: Final = {
    RollbackState.COMMITTED: "is about to begin",
    RollbackState.RUNNING: "is running",
    RollbackState.DONE: "has done all its steps",
    RollbackState.COMPENSATED: "failed, and what it had done was undone",
    RollbackState.FAILED: "failed and could not be undone",
    RollbackState.NEEDS_HUMAN: "stopped half-way and needs a person: a step may have happened",
    RollbackState.EXPIRED: "was not begun in time and will not be",
    RollbackState.ABANDONED: "was not begun",
}
_VERDICTS: Final = {
    RollbackVerdict.PENDING: "whether it helped is not known yet",
    RollbackVerdict.HELPED: "it helped",
    RollbackVerdict.INEFFECTIVE: "it did not help",
    RollbackVerdict.UNVERIFIED: "there were too few requests to tell whether it helped",
}


def conditions(page: Page) -> tuple[str, ...]:
    """The decision and each of its conditions with the evidence; nothing on a resolve, where stages are told."""
    decision = page.incident.decision
    if decision is None or page.kind is PageKind.RESOLVE:
        return ()
    reason = "" if decision.reason.value == decision.outcome.value else f": {decision.reason.value}"
    plan = f", plan {decision.plan}" if decision.plan else ""
    said = f"{_DECIDED[decision.outcome]}{reason}{plan}"
    return said, *(_condition(condition) for condition in decision.conditions)


def rollback(incident: Incident) -> tuple[str, ...]:
    """Where the rollback of this incident stands, if there is one."""
    run = incident.rollback
    if run is None:
        return ()
    said = f"The rollback {run.plan} {_STATES[run.state]}"
    if run.state is RollbackState.DONE:
        said += f"; {_VERDICTS[run.verdict]}"
    if run.detail:
        said += f" ({run.detail})"
    return (said + ".",)


def next_steps(page: Page) -> tuple[str, ...]:
    """What a person types next; nothing where nothing is asked of anybody."""
    incident = page.incident
    if page.kind not in (PageKind.TRIGGER, PageKind.UPDATE):
        return ()
    said = []
    if incident.acknowledged_at is None:
        said.append(f"Say that you are on it: figwatch ack {incident.id}")
    if incident.decision is not None:
        said.append(f"See the plan and its steps: figwatch rollback show {incident.id}")
    return tuple(said)


def _condition(condition: Condition) -> str:
    reason = f" [{condition.reason.value}]" if condition.reason is not None else ""
    return f"{condition.name} {_HOLDS[condition.holds]}{reason}: {condition.evidence}"
