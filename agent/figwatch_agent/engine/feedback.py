"""What the workers did with committed rows: rollbacks that moved, pages that arrived."""

from dataclasses import replace

from figwatch_agent.decide import incidents
from figwatch_agent.durations import Instant
from figwatch_agent.engine.desk import Desk, Notes
from figwatch_agent.model.effect import DeliveryEffect, DeliveryState, Effect, RollbackEffect, RollbackState
from figwatch_agent.model.incident import Incident
from figwatch_agent.model.names import AlertName
from figwatch_agent.model.outcome import TransitionKind
from figwatch_agent.model.page import PageKind

NEEDS_HUMAN = frozenset({RollbackState.NEEDS_HUMAN, RollbackState.FAILED})
"""Ends of a rollback after which the incident stays open until a person has looked."""


class Feedback:
    """Takes effects into the cases they belong to."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def learn(self, effects: tuple[Effect, ...], now: Instant, notes: Notes) -> None:
        """Take in what the workers did."""
        for effect in effects:
            if isinstance(effect, RollbackEffect):
                self._rollback(effect, now, notes)
            else:
                self._delivery(effect, notes)

    def _rollback(self, effect: RollbackEffect, now: Instant, notes: Notes) -> None:
        case = self.desk.cases.get(effect.incident)
        if case is None or case.incident.rollback is None:
            return
        run = case.incident.rollback
        if run.state.final:
            return
        done_at = effect.at if effect.state is RollbackState.DONE else None
        case.put(
            replace(case.incident, rollback=replace(run, state=effect.state, done_at=done_at, detail=effect.detail))
        )
        text = f"{case.incident.route}: rollback {effect.state.value.replace('_', ' ')}"
        text += f" ({effect.detail})" if effect.detail else ""
        notes.note(now, TransitionKind.ROLLBACK_STATE, case.incident.id, text, (("state", effect.state.value),))
        if effect.state.final and effect.state is not RollbackState.DONE:
            case.news.append(PageKind.UPDATE.value)
        if effect.state in NEEDS_HUMAN:
            case.put(
                incidents.joined(
                    case.incident, incidents.rollback_alert(case.incident, AlertName.ROLLBACK_NEEDS_HUMAN, now)
                )
            )

    def _delivery(self, effect: DeliveryEffect, notes: Notes) -> None:
        if effect.state is DeliveryState.DEAD:
            self.desk.failing_receivers[effect.receiver] = effect.reason
        elif effect.state is DeliveryState.ACCEPTED:
            self.desk.failing_receivers.pop(effect.receiver, None)
        if effect.kind == PageKind.TRIGGER and effect.state is DeliveryState.ACCEPTED:
            self._paged(effect, notes)

    def _paged(self, effect: DeliveryEffect, notes: Notes) -> None:
        """A page that was slow may arrive after its incident has ended: it was told all the same."""
        case = self.desk.cases.get(effect.incident)
        if case is not None and case.incident.paged_at is None:
            case.put(replace(case.incident, paged_at=effect.at))
            _note_paged(case.incident, effect, notes)
        for place, incident in enumerate(self.desk.closed):
            if incident.id == effect.incident and incident.paged_at is None:
                self.desk.closed[place] = replace(incident, paged_at=effect.at)
                notes.incidents[incident.id] = self.desk.closed[place]
                _note_paged(incident, effect, notes)


def _note_paged(incident: Incident, effect: DeliveryEffect, notes: Notes) -> None:
    text = f"{incident.route}: {effect.receiver} accepted the page"
    notes.note(effect.at, TransitionKind.INCIDENT_PAGED, incident.id, text)
