"""Exclusions as JSON: what was declared, by whom and why, and what of it is counted."""

from figwatch_agent.durations import Instant, format_instant
from figwatch_agent.model.exclusion import Exclusion
from figwatch_agent.model.view import View


def exclusion_document(exclusion: Exclusion, at: Instant) -> dict[str, object]:
    """One; counted times are boundaries of the rings at or outside the declared ones."""
    return {
        "id": exclusion.id,
        "scope": exclusion.scope.value,
        "name": exclusion.name,
        "state": exclusion.state(at).value,
        "from": format_instant(exclusion.begins),
        "to": None if exclusion.ends is None else format_instant(exclusion.ends),
        "counted_from": format_instant(exclusion.counted_from),
        "counted_to": None if exclusion.counted_to is None else format_instant(exclusion.counted_to),
        "who": exclusion.who,
        "why": exclusion.why,
        "declared_at": format_instant(exclusion.declared_at),
        "declared_by": exclusion.declared_by,
        "ended_by": exclusion.ended_by or None,
    }


def exclusions_document(view: View) -> dict[str, object]:
    """All that are remembered, newest first."""
    return {
        "version": 1,
        "at": format_instant(view.at),
        "exclusions": [exclusion_document(each, view.at) for each in view.exclusions],
    }
