"""Alertmanager's webhook, version 4: each alert becomes a wish, and the answer comes after the disk."""

import re
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from figwatch_agent.durations import Instant, parse_instant
from figwatch_agent.model.external import LOUD, OWN_LABEL, ExternalAlert, command_of
from figwatch_agent.model.names import Severity
from figwatch_agent.web.answers import errors, json_answer
from figwatch_agent.web.deps import Deps
from figwatch_agent.web.who import visitor
from figwatch_agent.web.wish import BadWish, members_of

VERSION: Final = "4"
MOST_ALERTS: Final = 500
"""Of one notification; ``max_alerts`` of Alertmanager's webhook keeps below."""
LONGEST: Final = 500
"""Characters of a text that is kept; what is longer is cut."""

_FINGERPRINT: Final = re.compile(r"[0-9a-f]{1,64}")
_STATES: Final = ("firing", "resolved")


class Alertmanager:
    """POST /api/v1/alertmanager."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    async def take(self, request: web.Request) -> web.Response:
        """200 once all are durable: how many were new, known already, figwatch's own, and left out by Alertmanager."""
        try:
            alerts, own, truncated = read_notification(members_of(await request.read()))
        except BadWish as bad:
            return errors(400, bad.problems)
        self._deps.telemetry.alerts_left_out(truncated)
        now, who = self._deps.clock.now(), visitor()
        origin = f"alertmanager {who.address}"
        commands = [command_of(alert, at=now, actor=who.name, origin=origin) for alert in alerts]
        taken = await self._deps.inbox.put_all(commands) if commands else ()
        return json_answer(
            {"taken": len(taken), "known": len(commands) - len(taken), "own": own, "truncated": truncated}
        )


def read_notification(members: Mapping[str, Any]) -> tuple[list[ExternalAlert], int, int]:
    """Alerts, how many are figwatch's own, and how many were left out. Raises BadWish with all problems at once."""
    problems: list[str] = []
    if members.get("version") != VERSION:
        problems.append(f'version is "{VERSION}", the one of Alertmanager 0.22 and newer')
    truncated = members.get("truncatedAlerts", 0)
    if not isinstance(truncated, int) or isinstance(truncated, bool) or truncated < 0:
        problems.append("truncatedAlerts is a whole number")
        truncated = 0
    given = members.get("alerts")
    if not isinstance(given, list) or not 0 < len(given) <= MOST_ALERTS:
        raise BadWish([*problems, f"alerts is a list of 1 to {MOST_ALERTS}"])
    receiver = members.get("receiver")
    more = {"receiver": _cut(receiver) if isinstance(receiver, str) else "", "truncated": str(truncated or "")}
    alerts: list[ExternalAlert] = []
    own = 0
    for place, one in enumerate(given):
        said: list[str] = []
        found = _alert(one, more, said)
        problems += [f"alerts[{place}]: {problem}" for problem in said]
        if found is not None and OWN_LABEL in one["labels"]:
            own += 1
        elif found is not None:
            alerts.append(found)
    if problems:
        raise BadWish(problems)
    return alerts, own, truncated


def _alert(one: Any, more: Mapping[str, str], problems: list[str]) -> ExternalAlert | None:
    if not isinstance(one, dict):
        problems.append("is an object")
        return None
    labels, notes = _texts(one, "labels", problems), _texts(one, "annotations", problems)
    status, fingerprint = one.get("status"), one.get("fingerprint")
    if status not in _STATES:
        problems.append(f"status is one of {', '.join(_STATES)}")
    if not isinstance(fingerprint, str) or not _FINGERPRINT.fullmatch(fingerprint):
        problems.append("fingerprint is 1 to 64 hex digits")
    if not labels.get("alertname"):
        problems.append("labels has no alertname")
    starts_at = _instant(one, "startsAt", problems)
    ends_at = _instant(one, "endsAt", problems) if status == "resolved" else None
    if problems:
        return None
    url = one.get("generatorURL")
    return ExternalAlert(
        fingerprint=str(fingerprint),
        name=_cut(labels["alertname"]),
        starts_at=starts_at or 0,
        ends_at=ends_at,
        severity=Severity.PAGE if labels.get("severity") in LOUD else Severity.TICKET,
        route=_cut(labels.get("route", "")),
        slo=_cut(labels.get("slo", "")),
        service=_cut(labels.get("service", "")),
        summary=_cut(notes.get("summary") or notes.get("description", "")),
        generator_url=_cut(url) if isinstance(url, str) else "",
        **more,
    )


def _texts(one: Mapping[str, Any], name: str, problems: list[str]) -> dict[str, str]:
    found = one.get(name, {})
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        problems.append(f"{name} is an object whose values are texts")
        return {}
    return found


def _instant(one: Mapping[str, Any], name: str, problems: list[str]) -> Instant | None:
    text = one.get(name)
    try:
        found = parse_instant(text if isinstance(text, str) else "")
    except (ValueError, OverflowError):
        problems.append(f"{name} is an instant with its offset, such as 2026-11-22T12:00:00.000Z")
        return None
    if found <= 0:
        problems.append(f"{name} lies before 1970")
    return found


def _cut(text: str) -> str:
    """One printable line that UTF-8 can hold."""
    return "".join(character if character.isprintable() else " " for character in text[:LONGEST]).strip()
