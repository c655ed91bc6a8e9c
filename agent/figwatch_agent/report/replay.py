"""A replayed history as one JSON document: counts are integers, ratios are exact decimals, nothing is NaN or Inf."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from figwatch_agent.durations import Instant, format_duration, format_instant
from figwatch_agent.model.outcome import LedgerEntry
from figwatch_agent.model.replayed import Count, Replayed, ReplayedAlert, ReplayedStream
from figwatch_agent.report.exact import decimal, fraction


def replay_document(replayed: Replayed) -> dict[str, Any]:
    """The whole of it."""
    return {
        "from": instant(replayed.start),
        "to": instant(replayed.end),
        "step": format_duration(replayed.step),
        "ticks": replayed.ticks,
        "slos": [slo_document(replayed, name) for name in slo_names(replayed)],
        "findings": list(replayed.findings),
        "notices": list(replayed.notices),
    }


def slo_names(replayed: Replayed) -> list[str]:
    """In the order of the files."""
    return list(dict.fromkeys(stream.slo for stream in replayed.streams))


def slo_document(replayed: Replayed, name: str) -> dict[str, Any]:
    """One SLO over all its routes, and by route where it has several."""
    streams = [stream for stream in replayed.streams if stream.slo == name]
    routes = [stream.route for stream in streams if stream.route]
    return {
        "name": name,
        "service": streams[0].service,
        "sli": streams[0].kind,
        "objective": decimal(streams[0].objective),
        "window": format_duration(streams[0].period),
        **figures(streams),
        "routes": [{"route": stream.route, **figures([stream])} for stream in streams] if len(routes) > 1 else [],
        "alerts": [_alert(one) for one in alerts_of(replayed, name)],
        "ledger": [_entry(entry) for entry in replayed.ledger.of(name)],
    }


def alerts_of(replayed: Replayed, name: str) -> list[ReplayedAlert]:
    """The alerts of one SLO in the order in which they fired."""
    return [one for one in replayed.alerts if one.alert.slo == name]


def figures(streams: Sequence[ReplayedStream]) -> dict[str, Any]:
    """Counts of some streams of one SLO together, and what follows from them."""
    whole, window = added(stream.whole for stream in streams), added(stream.window for stream in streams)
    ratio, left = error_ratio(whole), budget_remaining(window, streams[0].objective)
    return {
        "total": whole.total,
        "good": whole.total - whole.bad,
        "bad": whole.bad,
        "untimed_total": sum(stream.untimed_total for stream in streams),
        "untimed_bad": sum(stream.untimed_bad for stream in streams),
        "error_ratio": decimal(ratio),
        "error_ratio_fraction": fraction(ratio),
        "budget_remaining": decimal(left),
        "budget_remaining_fraction": fraction(left),
        "budget": {"total": window.total, "bad": window.bad, "over": format_duration(window.span)},
        "coverage": decimal(whole.coverage),
        "reason": reason(streams, whole, window),
    }


def error_ratio(count: Count) -> Fraction | None:
    """Bad / total; None without events."""
    return Fraction(count.bad, count.total) if count.total > 0 else None


def budget_remaining(count: Count, objective: Fraction) -> Fraction | None:
    """What is left of the error budget: 1 is all, 0 none, and below 0 it is overspent. None without events."""
    ratio = error_ratio(count)
    return None if ratio is None else 1 - ratio / (1 - objective)


def reason(streams: Sequence[ReplayedStream], whole: Count, window: Count) -> str | None:
    """Why a figure is null."""
    if streams[0].reason:
        return streams[0].reason
    if whole.total <= 0:
        return "no event was counted" if whole.covered else "nothing of it was measured"
    return "no event was counted in the budget's window" if window.total <= 0 else None


def added(counts: Iterable[Count]) -> Count:
    """Events together; time is covered where all of them were."""
    every = list(counts)
    return Count(
        total=sum(one.total for one in every),
        bad=sum(one.bad for one in every),
        covered=min((one.covered for one in every), default=0),
        span=max((one.span for one in every), default=0),
    )


def instant(at: Instant | None) -> str | None:
    """ISO 8601, or null."""
    return None if at is None else format_instant(at)


def _alert(one: ReplayedAlert) -> dict[str, Any]:
    alert = one.alert
    return {
        "tier": alert.tier,
        "severity": alert.severity.value,
        "fired_at": format_instant(alert.fired_at),
        "resolved_at": instant(alert.resolved_at),
        "certified": alert.certified,
        "name": alert.name.value,
        "route": alert.route or None,
        "lane": alert.lane,
        "impact_start": format_instant(alert.impact_start),
        "bad": alert.bad,
        "total": alert.total,
        "incident": one.incident,
    }


def _entry(entry: LedgerEntry) -> dict[str, Any]:
    return {
        "interval": format_instant(entry.interval),
        "route": entry.route or None,
        "side": entry.side,
        "incident": entry.incident or None,
        "bad": entry.bad,
        "total": entry.total,
    }
