"""One incident with everything that is known of it, and the list of them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from markupsafe import Markup

from figwatch_agent.durations import SECOND, format_seconds, parse_instant
from figwatch_agent.model.decision import Reason
from figwatch_agent.model.incident import Incident
from figwatch_agent.model.sentences import OPEN, WHY
from figwatch_agent.report.charts import timeline
from figwatch_agent.report.incident_record import phases
from figwatch_agent.report.words import percent
from figwatch_agent.web.pages_markdown import render_markdown
from figwatch_agent.web.pages_overview import incident_card
from figwatch_agent.web.pages_story import (
    Headline,
    Json,
    about,
    doing,
    incident_state,
    incident_word,
    sentence,
    symptom,
)

STAGES: Final[Mapping[str, str]] = {
    "impact_start": "Impact began",
    "detected": "Detected",
    "paged": "Paged",
    "acknowledged": "Acknowledged",
    "mitigated": "Mitigated",
    "resolved": "Resolved",
}

HOLDS: Final[Mapping[str, tuple[str, str]]] = {
    "yes": ("ok", "holds"),
    "no": ("bad", "does not hold"),
    "unknown": ("unknown", "unknown"),
}

_CONDITIONS: Final[Mapping[str, str]] = {
    "page_tier": "A page tier fires on fresh data",
    "worse_than_control": "The service side is worse than its control",
    "legacy_fit": "Legacy is fit to take the traffic",
    "data_safe": "No data would be lost",
    "gateway_unchanged": "Nobody changed the gateway meanwhile",
    "allowed": "Mode, latch, cool-down and switches allow it",
}

_OUTCOMES: Final[Mapping[str, tuple[str, str]]] = {
    "rollback": ("ok", "roll back"),
    "withheld": ("warn", "withheld"),
    "dry_run": ("warn", "dry run"),
    "awaiting_approval": ("wait", "awaiting approval"),
}

_DELIVERIES: Final[Mapping[str, str]] = {
    "pending": "wait",
    "sending": "wait",
    "accepted": "ok",
    "unconfirmed": "unknown",
    "dead": "bad",
}

_STEPS: Final[Mapping[str, str]] = {"done": "ok", "failed": "bad", "compensation_failed": "bad", "compensated": "warn"}

_HOLDING: Final = frozenset({Reason.CONDITIONS_HOLD, Reason.DRY_RUN, Reason.AWAITING_APPROVAL})

PAGE: Final = 25
"""Incidents of one page of the list."""


def incident_values(document: Json, incident: Incident, runbooks: Mapping[str, str], at: str) -> dict[str, Any]:
    """What the template needs beside the record itself."""
    facts = document["incident"]
    names = [each["alert"] for each in document["runbooks"]]
    return {
        "incident": facts,
        "headline": _headline(document),
        "state": incident_state(facts),
        "word": incident_word(facts),
        "about": about(facts),
        "facts": _facts(document),
        "timeline": Markup(timeline("stages", "Stages of the incident", phases(incident), parse_instant(at))),  # noqa: S704
        "stage_names": STAGES,
        "decision": _decision(facts["decision"]),
        "earlier": [_earlier(each) for each in document["decisions"][:-1]],
        "steps": _journal(document["rollback"]),
        "deliveries": [{**each, "tone": _DELIVERIES[each["state"]]} for each in document["deliveries"]],
        "runbooks": [(name, render_markdown(_body(runbooks[name]), below=1)) for name in names if name in runbooks],
        "acts": _acts(facts),
        "overview": incident_card({**facts, "alerts": [alert["name"] for alert in facts["alerts"]]}),
    }


def incidents_values(incidents: Sequence[Json], page: int, show: str) -> dict[str, Any]:
    """The list: open ones first, ``show`` being all, open or closed."""
    wanted = [one for one in incidents if show == "all" or one["open"] == (show == "open")]
    pages = max(-(-len(wanted) // PAGE), 1)
    page = min(max(page, 1), pages)

    def link(number: int) -> str:
        asked = {"show": "" if show == "all" else show, "page": str(number) if number > 1 else ""}
        return "/incidents" + ("?" + urlencode({k: v for k, v in asked.items() if v}) if any(asked.values()) else "")

    return {
        "incidents": [incident_card(one) for one in wanted[(page - 1) * PAGE : page * PAGE]],
        "show": show,
        "matching": len(wanted),
        "all": len(incidents),
        "open": sum(one["open"] for one in incidents),
        "page": page,
        "pages": pages,
        "previous": link(page - 1) if page > 1 else None,
        "next": link(page + 1) if page < pages else None,
    }


def _headline(document: Json) -> Headline:
    incident = document["incident"]
    alerts = [alert["name"] for alert in incident["alerts"] if alert["resolved_at"] is None]
    names = alerts or [alert["name"] for alert in incident["alerts"]]
    felt = symptom(names)
    lasted = format_seconds(round(document["age_seconds"] * SECOND))
    if not incident["open"]:
        said = f"It lasted {lasted}. {sentence(doing(incident))}"
    else:
        said = sentence(doing(incident)) or "No rollback was weighed."
    what = f"{about(incident)}: {felt}" if incident["open"] else f"{about(incident)}: resolved"
    return Headline(state=incident_state(incident), sentence=what, more=said.strip(), title=f"{what} · figwatch")


def _facts(document: Json) -> list[tuple[str, str, str]]:
    """(label, figure, what it is of) of how big it is, as the newest page said it."""
    size, incident = document["size"], document["incident"]
    found = [
        ("Open for" if incident["open"] else "Lasted", format_seconds(round(document["age_seconds"] * SECOND)), "")
    ]
    if size is not None and size["total"]:
        over = format_seconds(round(size["over_seconds"] * SECOND))
        found.append(
            ("Bad requests", percent(size["bad"] / size["total"]), f"{size['bad']} of {size['total']} in {over}")
        )
        for side in ("service", "legacy"):
            part = size[side]
            if part["total"]:
                found.append((f"On {side}", percent(part["bad"] / part["total"]), f"{part['bad']} of {part['total']}"))
    return found


def _decision(decision: Json | None) -> dict[str, Any] | None:
    if decision is None:
        return None
    tone, word = _OUTCOMES.get(decision["outcome"], ("unknown", decision["outcome"]))
    reason = Reason(decision["reason"])
    answer = "Yes" if reason in _HOLDING else "Not known yet" if reason in OPEN else "No"
    why = "every condition holds" if reason in _HOLDING else WHY[reason]
    said = {"tone": tone, "word": word, "answer": answer, "why": why}
    return {**decision, **said, "conditions": [_condition(each) for each in decision["conditions"]]}


def _earlier(decision: Json) -> dict[str, Any]:
    return {**decision, "conditions": [_condition(each) for each in decision["conditions"]]}


def _condition(condition: Json) -> dict[str, Any]:
    tone, word = HOLDS.get(condition["holds"], ("unknown", condition["holds"]))
    words = _CONDITIONS.get(condition["name"], condition["name"].replace("_", " "))
    return {**condition, "tone": tone, "word": word, "words": words}


def _journal(rollback: Json | None) -> list[dict[str, Any]]:
    """Every entry with what its step calls."""
    if rollback is None:
        return []
    calls = {step["id"]: step for step in rollback["steps"]}
    return [
        {**entry, "tone": _STEPS.get(entry["state"], "wait"), "call": calls.get(entry["step"], {}).get("call", "")}
        for entry in rollback["journal"]
    ]


def _acts(incident: Json) -> list[str]:
    """What a person may do about it now, in the words of the wishes."""
    if not incident["open"]:
        return []
    decision, rollback = incident["decision"], incident["rollback"]
    waits = decision is not None and decision["outcome"] == "awaiting_approval" and rollback is None
    kinds = ["approve"] if waits else []
    kinds += [] if incident["acknowledged_by"] else ["acknowledge"]
    return [*kinds, "silence", "resolve"]


def _body(markdown: str) -> str:
    """A runbook without its title, which stands above it already."""
    first, _, rest = markdown.partition("\n")
    return rest if first.startswith("# ") else markdown
