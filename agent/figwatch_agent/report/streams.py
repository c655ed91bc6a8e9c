"""SLOs as JSON: what was counted, what is left of the budget, and how fast it burns."""

from fractions import Fraction

from figwatch_agent.evaluate.error_budget import budget_remaining, error_ratio
from figwatch_agent.evaluate.uptime import Uptime
from figwatch_agent.model.view import Counts, Span, StreamView, TierView
from figwatch_agent.report.numbers import number, seconds
from figwatch_agent.report.secrecy import without_userinfo


def stream_document(stream: StreamView) -> dict[str, object]:
    """One SLO on one route.

    ``counts`` hold the window and the slot that its start cuts; ``counts_at_edge`` are the events of that slot, of
    which nobody knows on which side of the start they fell. The bounds of the budget say what hangs on them.
    """
    ratio = error_ratio(stream.counts.bad, stream.counts.total)
    low, high = budget_bounds(stream)
    return {
        "slo": stream.slo,
        "service": stream.service,
        "route": stream.route,
        "kind": stream.kind,
        "objective": number(stream.objective),
        "window_seconds": seconds(stream.window),
        "counts": _counts(stream.counts),
        "counts_at_edge": _counts(stream.edge),
        "excluded": _counts(stream.excluded),
        "excluded_at_edge": _counts(stream.excluded_edge),
        "excluded_seconds": seconds(stream.excluded_time),
        "totals": _counts(stream.totals),
        "error_ratio": number(ratio),
        "budget_remaining": number(stream.budget_left),
        "budget_remaining_low": number(low),
        "budget_remaining_high": number(high),
        "coverage": number(stream.coverage),
        "known": number(stream.known),
        "state": stream.state,
        "burn": stream.burn,
        "finding": without_userinfo(stream.finding) or None,
        "reason": _why_no_ratio(stream) if ratio is None else None,
        "tiers": [_tier(tier) for tier in stream.tiers],
        "uptime": None if stream.span is None else _uptime(stream.span),
    }


def budget_bounds(stream: StreamView) -> tuple[Fraction | None, Fraction | None]:
    """(least, most) share of the budget that may be left, with the slot that the window's start cuts in or out."""
    bad, total = stream.counts.bad - stream.edge.bad, stream.counts.total - stream.edge.total
    bad_edge = max(stream.edge.bad, 0)
    good_edge = max(stream.edge.total - stream.edge.bad, 0)
    worst = budget_remaining(bad + bad_edge, max(total + bad_edge, 0), stream.objective)
    best = budget_remaining(bad, max(total + good_edge, 0), stream.objective)
    return worst, best


def _why_no_ratio(stream: StreamView) -> str:
    if stream.span is not None:
        return "it is measured as time: see uptime"
    return "nothing was measured in its window" if stream.coverage == 0 else "no event was counted in its window"


def _tier(tier: TierView) -> dict[str, object]:
    return {
        "name": tier.name,
        "severity": tier.severity,
        "factor": number(tier.factor),
        "long_seconds": seconds(tier.long),
        "short_seconds": seconds(tier.short),
        "burn_rate_low": number(tier.burn_low),
        "burn_rate_high": number(tier.burn_high),
        "burn_rate_by_traffic_low": number(tier.traffic_low),
        "burn_rate_by_traffic_high": number(tier.traffic_high),
        "firing": tier.firing,
    }


def _uptime(span: Span) -> dict[str, object]:
    account = Uptime(up_ms=span.up, down_ms=span.down, unknown_ms=span.unknown)
    return {
        "up_ms": span.up,
        "down_ms": span.down,
        "unknown_ms": span.unknown,
        "availability": number(account.availability),
        "lower_bound": number(account.lower_bound),
        "upper_bound": number(account.upper_bound),
        "coverage": number(account.coverage),
        "reason": None if account.availability is not None else "no probe was answered in this time",
    }


def _counts(counts: Counts) -> dict[str, int]:
    return {"bad": counts.bad, "total": counts.total}
