"""What the guard said, and what a person can do about it, in sentences."""

from typing import Final

from figwatch_agent.model.decision import Condition, DecisionOutcome
from figwatch_agent.model.names import Tri
from figwatch_agent.model.page import Page, PageKind

_HOLDS: Final = {Tri.YES: "holds", Tri.NO: "does not hold", Tri.UNKNOWN: "is unknown"}
_DECIDED: Final = {
    DecisionOutcome.ROLLBACK: "Rollback decided",
    DecisionOutcome.WITHHELD: "Rollback withheld",
    DecisionOutcome.DRY_RUN: "Dry run: nothing is changed",
    DecisionOutcome.AWAITING_APPROVAL: "Rollback waits for a person's approval",
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
