"""What PagerDuty's Events API v2 accepts, refuses and makes of it: one alert for each (routing key, dedup key).

Limits and the shape of refusals are PagerDuty's own: a routing key of 32 characters, a dedup key of at most 255, a
summary of at most 1,024, a body of at most 512 KB.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

BODY_LIMIT: Final = 512 * 1024
"""Bytes; a longer body is refused with 413."""
ROUTING_KEY_LENGTH: Final = 32
DEDUP_KEY_LIMIT: Final = 255
SUMMARY_LIMIT: Final = 1024
ACTIONS: Final = ("trigger", "acknowledge", "resolve")
SEVERITIES: Final = ("critical", "error", "warning", "info")

Json = Mapping[str, object]


def refusals(event: object) -> list[str]:
    """Every reason why this event is refused with 400; empty if it is accepted."""
    if not isinstance(event, dict):
        return ["the body must be a JSON object"]
    found = _routing_key(event) + _dedup_key(event)
    action = event.get("event_action")
    if action not in ACTIONS:
        found.append(f"'event_action' is invalid (must be one of {', '.join(ACTIONS)})")
    if action == "trigger":
        found += _payload(event.get("payload"))
    return found


def _routing_key(event: Json) -> list[str]:
    key = event.get("routing_key")
    if not isinstance(key, str) or not key:
        return ["'routing_key' is missing or blank"]
    if len(key) != ROUTING_KEY_LENGTH:
        return [f"Length of 'routing_key' is incorrect (should be {ROUTING_KEY_LENGTH} characters)"]
    return []


def _dedup_key(event: Json) -> list[str]:
    key = event.get("dedup_key")
    if key is None or key == "":
        return [] if event.get("event_action") == "trigger" else ["'dedup_key' is missing or blank"]
    if not isinstance(key, str):
        return ["'dedup_key' must be a string"]
    if len(key) > DEDUP_KEY_LIMIT:
        return [f"'dedup_key' is too long (maximum is {DEDUP_KEY_LIMIT} characters)"]
    return []


def _payload(payload: object) -> list[str]:
    if not isinstance(payload, dict):
        return ["'payload' is missing or blank"]
    found = [
        f"'payload.{name}' is missing or blank"
        for name in ("summary", "source", "severity")
        if not isinstance(payload.get(name), str) or not payload[name]
    ]
    summary, severity = payload.get("summary"), payload.get("severity")
    if isinstance(summary, str) and len(summary) > SUMMARY_LIMIT:
        found.append(f"'payload.summary' is too long (maximum is {SUMMARY_LIMIT} characters)")
    if isinstance(severity, str) and severity and severity not in SEVERITIES:
        found.append(f"'payload.severity' is invalid (must be one of {', '.join(SEVERITIES)})")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert as the person on call sees it; times are milliseconds since the epoch."""

    dedup_key: str
    routing_key: str
    summary: str
    severity: str
    state: str  # open | acknowledged | resolved
    opened_at: int
    acknowledged_at: int | None = None
    closed_at: int | None = None
    triggers: int = 1  # how many triggers were collapsed into it
    notes: tuple[str, ...] = ()  # summaries of the later triggers where they differ from what was shown

    def as_json(self) -> dict[str, object]:
        """The alert in the document of the pager."""
        return {
            "receiver": "pagerduty",
            "key": self.dedup_key,
            "summary": self.summary,
            "severity": self.severity,
            "state": self.state,
            "opened_at": self.opened_at,
            "acknowledged_at": self.acknowledged_at,
            "closed_at": self.closed_at,
            "duplicates": self.triggers - 1,
            "notes": list(self.notes),
        }


class Alerts:
    """All alerts, in the order in which they were opened."""

    def __init__(self) -> None:
        self._alerts: list[Alert] = []
        self._generated = 0

    def take(self, event: Json, now: int) -> str:
        """Apply an accepted event at ``now`` (milliseconds); return its dedup key, generated where it has none.

        Acknowledging or resolving what is not open changes nothing and is accepted all the same, as PagerDuty does.
        """
        key = str(event.get("dedup_key") or self._generate())
        at = self._open_alert(str(event["routing_key"]), key)
        action = event["event_action"]
        if action == "trigger":
            self._trigger(event, key, at, now)
        elif at is not None and action == "acknowledge":
            acknowledged = self._alerts[at].acknowledged_at or now
            self._alerts[at] = replace(self._alerts[at], state="acknowledged", acknowledged_at=acknowledged)
        elif at is not None:
            self._alerts[at] = replace(self._alerts[at], state="resolved", closed_at=now)
        return key

    def seen(self) -> list[dict[str, object]]:
        """Every alert, open and closed."""
        return [alert.as_json() for alert in self._alerts]

    def _generate(self) -> str:
        self._generated += 1
        return f"generated-{self._generated}"

    def _open_alert(self, routing_key: str, key: str) -> int | None:
        for at, alert in enumerate(self._alerts):
            if (alert.routing_key, alert.dedup_key) == (routing_key, key) and alert.state != "resolved":
                return at
        return None

    def _trigger(self, event: Json, key: str, at: int | None, now: int) -> None:
        payload = event["payload"]
        fields: Json = payload if isinstance(payload, dict) else {}
        summary = str(fields["summary"])
        if at is None:
            self._alerts.append(
                Alert(
                    dedup_key=key,
                    routing_key=str(event["routing_key"]),
                    summary=summary,
                    severity=str(fields["severity"]),
                    state="open",
                    opened_at=now,
                )
            )
            return
        alert = self._alerts[at]
        notes = alert.notes if summary in (alert.summary, *alert.notes) else (*alert.notes, summary)
        self._alerts[at] = replace(alert, triggers=alert.triggers + 1, notes=notes)
