"""Incidents and rollbacks as a running agent tells them, or as its state keeps them while none runs."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from figwatch_agent.commands._agent import AgentRefused, client_of, usable_token
from figwatch_agent.errors import AgentUnreachable
from figwatch_agent.model.settings import Settings
from figwatch_agent.report.incidents import incident_document
from figwatch_agent.report.records import rollback_document
from figwatch_agent.store.writer import open_inbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Documents of the API; ``running`` says whether an agent told them."""

    incidents: list[dict[str, Any]]
    rollbacks: list[dict[str, Any]]
    running: bool

    def incident(self, name: str) -> dict[str, Any] | None:
        """By id, by the id of its rollback, or by route: the open incident there, else the newest."""
        for incident in self.incidents:
            run = incident["rollback"]
            if name == incident["id"] or (run is not None and name == run["id"]):
                return incident
        there = [one for one in self.incidents if one["route"] == name]
        newest = max(there, key=lambda one: str(one["detected_at"]), default=None)
        return next((one for one in there if one["open"]), newest)

    def rollback(self, incident: str) -> dict[str, Any] | None:
        """That of an incident."""
        return next((one for one in self.rollbacks if one["incident"] == incident), None)


def kept(settings: Settings) -> Kept:
    """From the agent where one answers, else from the state. Raises StoreError where neither is there.

    Without a token the agent hides from us where steps lead, as it does from every stranger, and the state does not.
    """
    client = client_of(settings.web)
    if usable_token(settings.web) is None and Path(settings.state).is_file():
        return replace(_from_state(settings), running=client.answers())
    try:
        incidents = client.get("/api/v1/incidents")["incidents"]
        rollbacks = client.get("/api/v1/rollbacks", limit=1000)["rollbacks"]
    except (AgentUnreachable, AgentRefused, KeyError):
        return _from_state(settings)
    return Kept(incidents=incidents, rollbacks=rollbacks, running=True)


def _from_state(settings: Settings) -> Kept:
    with open_inbox(settings.state) as inbox:
        return Kept(
            incidents=[incident_document(incident) for incident in inbox.incidents()],
            rollbacks=[rollback_document(record) for record in inbox.rollbacks(1000)],
            running=False,
        )
