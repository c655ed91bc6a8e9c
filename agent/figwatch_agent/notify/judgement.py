"""What the guard said, and what a person can do about it, in sentences."""

from typing import Final

from figwatch_agent.model.decision import Condition, DecisionOutcome
from figwatch_agent.model.effect import RollbackState
from figwatch_agent.model.incident import RollbackVerdict
from figwatch_agent.model.names import Tri
from figwatch_agent.model.page import Page, PageKind
from figwatch_agent.model.sentences import OPEN, WHY

MARKS: Final = {Tri.YES: "✓", Tri.NO: "✗", Tri.UNKNOWN: "?"}
"""Stand before a condition; its words say the same."""

CONDITIONS: Final[dict[str, tuple[str, str, str]]] = {
    "page_tier": ("an alert that pages", "no alert that pages", "an alert that may page"),
    "worse_than_control": (
        "the service is worse than legacy",
        "the service is not worse than legacy",
        "whether the service is worse than legacy is unknown",
    ),
    "legacy_fit": ("legacy can take over", "legacy cannot take over", "whether legacy can take over is unknown"),
    "data_safe": ("no data would be lost", "data would be lost", "whether data would be lost is unknown"),
    "gateway_unchanged": (
        "nobody changed the gateway meanwhile",
        "somebody changed the gateway meanwhile",
        "whether somebody changed the gateway is unknown",
    ),
    "allowed": ("a rollback is allowed now", "a rollback is not allowed now", "whether one is allowed is unknown"),
}
"""Each of the guard's conditions where it holds, where it does not, and where that is unknown."""

_NOT_HELPED: Final = frozenset({RollbackVerdict.INEFFECTIVE, RollbackVerdict.UNVERIFIED})
_STUCK: Final = frozenset(
    {
        RollbackState.COMPENSATED,
        RollbackState.FAILED,
        RollbackState.NEEDS_HUMAN,
        RollbackState.EXPIRED,
        RollbackState.ABANDONED,
    }
)
_PLACES: Final = {Tri.YES: 0, Tri.NO: 1, Tri.UNKNOWN: 2}


def conditions(page: Page) -> tuple[str, ...]:
    """The decision and each of its conditions with the evidence.

    Nothing on a resolve, where stages are told, and nothing on updates about a rollback: the page has said it.
    """
    decision = page.incident.decision
    known = page.kind is PageKind.UPDATE and page.incident.rollback is not None
    if decision is None or known or page.kind is PageKind.RESOLVE:
        return ()
    plan = f", by plan {decision.plan}" if decision.plan else ""
    why = WHY[decision.reason]
    said = {
        DecisionOutcome.ROLLBACK: f"Rollback decided{plan}: {why}",
        DecisionOutcome.WITHHELD: f"No rollback{' yet' if decision.reason in OPEN else ''}{plan}: {why}",
        DecisionOutcome.DRY_RUN: f"Dry run, nothing is changed{plan}",
        DecisionOutcome.AWAITING_APPROVAL: f"A rollback waits for a person's approval{plan}",
    }
    return said[decision.outcome], *(_condition(condition) for condition in decision.conditions)


def next_steps(page: Page) -> tuple[tuple[str, str], ...]:
    """What a person may do next and the command for it; nothing where nothing is asked of anybody."""
    incident, decision = page.incident, page.incident.decision
    if page.kind not in (PageKind.TRIGGER, PageKind.UPDATE) or not incident.open:
        return ()
    told = []
    if incident.acknowledged_at is None:
        told.append(("Say that you are on it", f"figwatch ack {incident.id}"))
    if decision is not None:
        told.append(("See the plan and its steps", f"figwatch rollback show {incident.id}"))
        if decision.outcome is DecisionOutcome.AWAITING_APPROVAL and incident.rollback is None:
            told.append(("Approve the rollback", f"figwatch rollback approve {incident.id}"))
    return tuple(told)


def asks_for_a_person(page: Page) -> bool:
    """Whether this update is one that nobody may miss: a rollback did not do, was not done, or waits for a word."""
    incident = page.incident
    if page.kind is not PageKind.UPDATE or not incident.open:
        return False
    if incident.rollback is not None:
        return incident.rollback.verdict in _NOT_HELPED or incident.rollback.state in _STUCK
    return incident.decision is not None and incident.decision.outcome is DecisionOutcome.AWAITING_APPROVAL


def _condition(condition: Condition) -> str:
    texts = CONDITIONS.get(condition.name)
    said = condition.name if texts is None else texts[_PLACES[condition.holds]]
    return f"{MARKS[condition.holds]} {said}: {condition.evidence}"
