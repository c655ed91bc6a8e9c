"""The stages of an incident that is over, each as time since users were first hit."""

from figwatch_agent.durations import Instant, format_seconds
from figwatch_agent.model.incident import Incident
from figwatch_agent.model.page import Page, PageKind
from figwatch_agent.notify.words import point_in_time


def told(page: Page) -> tuple[str, ...]:
    """One sentence a stage on a resolve; nothing on other pages."""
    if page.kind is not PageKind.RESOLVE:
        return ()
    incident = page.incident
    began = incident.impact_start
    run = incident.rollback
    stages: list[tuple[str, Instant | None]] = [
        ("detected", incident.detected_at),
        ("paged", incident.paged_at),
        (f"acknowledged by {incident.acknowledged_by}", incident.acknowledged_at),
        ("rollback decided", None if run is None else run.decided_at),
        ("rollback done", None if run is None else run.done_at),
        ("rollback verified", None if run is None else run.verified_at),
        ("mitigated: users were no longer hit", incident.mitigated_at),
        (_resolved(incident), incident.resolved_at),
    ]
    happened = sorted(((at, what) for what, at in stages if at is not None), key=lambda stage: stage[0])
    return (
        f"impact began {point_in_time(began)}",
        *(f"{what} after {format_seconds(max(at - began, 0))}" for at, what in happened),
    )


def _resolved(incident: Incident) -> str:
    return f"resolved by {incident.resolved_by}" if incident.resolved_by else "resolved by the data"
