"""The status of a migration as one JSON document: what /api/v1/status answers and `figwatch status` shows.

Instants are ISO 8601 in UTC. Counts are whole numbers and exact. Ratios and burn rates are JSON numbers rounded half to
even at 9 decimals (a ratio that is not whole never shows as 0 or 1); ``legacy_ratio`` is decimal text with up to 12
decimals, since the last requests to legacy are what a migration waits for. Members whose name ends in ``_seconds`` or
``_ms`` carry that unit. What is not known is null, and a ``reason`` or ``finding`` beside it says why. NaN and Inf do
not occur. Passwords in URLs are struck out.
"""

from collections.abc import Mapping
from typing import Final

from figwatch_agent.durations import format_instant
from figwatch_agent.evaluate.legacy_ratio import overall
from figwatch_agent.model.view import TargetView, View
from figwatch_agent.report.criteria import criterion_document
from figwatch_agent.report.exclusions import exclusion_document
from figwatch_agent.report.incidents import incident_document
from figwatch_agent.report.numbers import seconds, text
from figwatch_agent.report.secrecy import without_userinfo
from figwatch_agent.report.sides import route_row, users
from figwatch_agent.report.streams import stream_document

VERSION: Final = 1
"""Of the document; members may be added to a version, and none changes its meaning."""


def status_document(view: View, healthy: Mapping[str, bool]) -> dict[str, object]:
    """Everything there is to see, ready for ``json.dumps(..., allow_nan=False)``."""
    ratio = overall({f"{route.service} {route.route}": users(route.requests) for route in view.routes}).legacy_ratio
    return {
        "version": VERSION,
        "at": format_instant(view.at),
        "started_at": format_instant(view.started_at),
        "migration": view.migration,
        "mode": view.mode,
        "hold_seconds": seconds(view.hold),
        "agent": _agent(view, healthy),
        "legacy_ratio": text(ratio),
        "routes": [route_row(route) for route in view.routes],
        "slos": [stream_document(stream) for stream in view.streams],
        "incidents": [incident_document(incident) for incident in view.incidents],
        "silences": [
            {"subject": each.subject, "until": format_instant(each.until), "actor": each.actor, "why": each.why}
            for each in view.silences
        ],
        "exclusions": [exclusion_document(each, view.at) for each in view.exclusions],
        "criteria": [criterion_document(measured) for measured in view.criteria],
    }


def _agent(view: View, healthy: Mapping[str, bool]) -> dict[str, object]:
    return {
        "sequence": view.sequence,
        "healthy": dict(healthy),
        "findings": [without_userinfo(finding) for finding in view.findings],
        "wall_clock_step_seconds": seconds(view.wall_step),
        "targets": [_target(target) for target in view.targets],
    }


def _target(target: TargetView) -> dict[str, object]:
    return {
        "target": without_userinfo(target.target),
        "up": target.up,
        "reason": without_userinfo(target.reason) or None,
        "last_answer": None if target.last_answer is None else format_instant(target.last_answer),
    }
