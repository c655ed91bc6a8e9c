"""The facts of a page in sentences: what broke, for whom, how bad. Numbers carry their units."""

from collections.abc import Sequence
from typing import Final

from figwatch_agent.durations import format_seconds
from figwatch_agent.model.incident import Alert, Incident, IncidentKind
from figwatch_agent.model.page import Facts, Page, PageKind
from figwatch_agent.model.sentences import SYMPTOM
from figwatch_agent.model.tier import EARLY
from figwatch_agent.notify.words import point_in_time, share

ALERTS_SHOWN: Final = 5
SIGNAL: Final = "signal"
"""The tier of alerts that rest on no SLO; their own key stands where others name theirs."""


def what_broke(page: Page) -> tuple[str, ...]:
    """One sentence for each alert: those that fire, or all once the incident is resolved."""
    over = page.kind is PageKind.RESOLVE
    alerts = _without_echoes([alert for alert in page.incident.alerts if over or alert.resolved_at is None])
    told = [_alert(alert) for alert in alerts[:ALERTS_SHOWN]]
    if len(alerts) > ALERTS_SHOWN:
        told.append(f"and {len(alerts) - ALERTS_SHOWN} more alerts")
    return tuple(told)


def for_whom(page: Page) -> tuple[str, ...]:
    """Route or service, the share that legacy serves, and both sides beside each other."""
    place = _place(page.incident)
    facts = page.facts
    if facts is None:
        return (place,)
    if facts.legacy_share is not None:
        place += f"; legacy serves {facts.legacy_share} of its requests"
    if facts.service_total == 0 and facts.legacy_total == 0:
        return (place,)
    sides = (
        f"service side: {_counts(facts.service_bad, facts.service_total)}; "
        f"legacy side: {_counts(facts.legacy_bad, facts.legacy_total)}"
    )
    return place, sides


def how_bad(page: Page) -> tuple[str, ...]:
    """Counts against the objective, burn rate and what is left of the budget."""
    facts = page.facts
    if facts is None:
        return ()
    counted = f"{_counts(facts.bad, facts.total)} in the last {format_seconds(facts.over)}; objective {facts.objective}"
    return counted, _budget(page, facts)


def figures(page: Page) -> tuple[tuple[str, str], ...]:
    """The same in pieces, label and text: what whoever looks at a phone compares."""
    facts = page.facts
    if facts is None:
        return ()
    told = [("Bad requests", f"{_counts(facts.bad, facts.total)} in {format_seconds(facts.over)}")]
    told.append(("Objective", facts.objective if facts.burn_rate is None else _burning(facts)))
    if facts.service_total or facts.legacy_total:
        told.append(("Service side", _counts(facts.service_bad, facts.service_total)))
        told.append(("Legacy side", _counts(facts.legacy_bad, facts.legacy_total)))
    if (left := _left(page, facts)) is not None:
        told.append(("Error budget", left))
    if facts.legacy_share is not None:
        told.append(("Legacy serves", f"{facts.legacy_share} of requests"))
    return tuple(told)


def _burning(facts: Facts) -> str:
    return f"{facts.objective}, burn rate {facts.burn_rate}"


def _left(page: Page, facts: Facts) -> str | None:
    if facts.exhausted_in == 0:
        return "spent"
    if facts.budget_left is None:
        return None
    gone = (
        ""
        if facts.exhausted_in is None or _over(page)
        else f", gone in {format_seconds(facts.exhausted_in)} at this rate"
    )
    return f"{facts.budget_left} left{gone}"


def _without_echoes(alerts: Sequence[Alert]) -> list[Alert]:
    """Without what the service side alone shows where the whole route shows it as well."""
    whole = {(alert.name, alert.slo, alert.route, alert.tier) for alert in alerts if alert.lane != "service"}
    return [
        alert
        for alert in alerts
        if alert.lane != "service" or (alert.name, alert.slo, alert.route, alert.tier) not in whole
    ]


def _alert(alert: Alert) -> str:
    said = f"{alert.name.value}: {SYMPTOM[alert.name]}"
    if not alert.slo:  # about a rollback
        return f"{said}, since {point_in_time(alert.fired_at)}"
    since = point_in_time(alert.impact_start)
    if alert.tier == SIGNAL:
        return f"{said}, since {since}"
    lane = ", seen on the service side alone" if alert.lane == "service" else ""
    tier = "early lane" if alert.tier == EARLY else f"tier {alert.tier}"
    about = f"{alert.slo} on {alert.route}" if alert.route else alert.slo
    return f"{said}, since {since} ({about}, {tier}{lane})"


def _place(incident: Incident) -> str:
    if incident.kind is IncidentKind.AGENT:
        return "whoever relies on figwatch" + (f" ({incident.route})" if incident.route else "")
    if incident.kind is IncidentKind.EXTERNAL:
        return f"whoever relies on what {incident.route} watches"
    if incident.kind is IncidentKind.UPTIME:
        return f"users of the service {incident.service} ({incident.route})"
    return f"users of {incident.route} (service {incident.service}, migration {incident.migration})"


def _counts(bad: int, total: int) -> str:
    if total == 0:
        return "no requests"
    return f"{bad:,} bad of {total:,} ({share(bad, total)})"


def _over(page: Page) -> bool:
    """Whether nothing goes on at the rate of the impact any more."""
    return page.kind is PageKind.RESOLVE or page.incident.mitigated_at is not None


def _budget(page: Page, facts: Facts) -> str:
    parts = []
    if facts.burn_rate is not None:
        parts.append(f"burn rate {facts.burn_rate} (1 spends exactly the error budget)")
    if facts.exhausted_in == 0:
        return "; ".join((*parts, "the error budget is spent"))
    if facts.budget_left is not None:
        parts.append(f"{facts.budget_left} of the error budget left")
    if facts.exhausted_in is not None and not _over(page):
        parts.append(f"at this rate it is gone in {format_seconds(facts.exhausted_in)}")
    return "; ".join(parts)
