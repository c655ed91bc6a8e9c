"""Why: every condition of every watch of a subject, with its evidence, as the last tick decided it. It only reads."""

from collections.abc import Iterator
from fractions import Fraction

from figwatch_agent.durations import MINUTE, Instant, format_duration, format_seconds
from figwatch_agent.engine.burning import WindowCounts, bounds, by_traffic, confirmed, lane_weighs, window_counts
from figwatch_agent.engine.catalog import Watch
from figwatch_agent.engine.left_out import left_out
from figwatch_agent.engine.saving import Parts
from figwatch_agent.engine.tally import Tally
from figwatch_agent.evaluate.early_lane import NAT
from figwatch_agent.evaluate.evidence import (
    MINIMUM_BAD,
    clean_requests_needed,
    rejects_still_burning,
    rejects_within_budget,
    upper_tail,
)
from figwatch_agent.model.explanation import (
    Because,
    Evidence,
    Explanation,
    Lane,
    LeftOut,
    Recovery,
    RouteExplained,
    WatchExplained,
    WindowSeen,
)
from figwatch_agent.model.incident import Incident
from figwatch_agent.model.names import Tri
from figwatch_agent.model.view import Counts, SilenceView

SHOWN_CLOSED = 5
"""Closed incidents of a subject, the newest."""


def subjects(parts: Parts) -> tuple[str, ...]:
    """Everything that can be asked for: routes, SLOs, incidents and alerts that are remembered."""
    catalog, found = parts.rings.catalog, dict[str, None]()
    for name in (
        *(route.route.template for route in catalog.routes),
        *(stream.slo.name for stream in catalog.streams),
        *(incident.id for incident in _incidents(parts)),
        *(alert.id for incident in _incidents(parts) for alert in incident.alerts),
    ):
        found.setdefault(name)
    return tuple(found)


def explain(parts: Parts, tally: Tally | None, subject: str, at: Instant) -> Explanation | None:
    """What there is to say of a route, an SLO, an incident or an alert; None where there is no such thing."""
    meant = _meant(parts, subject)
    if meant is None:
        return None
    kind, watches, incidents = meant
    routes = {watch.stream.route for watch in watches} | {incident.route for incident in incidents}
    names = routes | {incident.id for incident in incidents}
    return Explanation(
        at=at,
        subject=subject,
        kind=kind,
        watches=tuple(_watch(parts, watch, tally, at) for watch in watches),
        routes=tuple(
            RouteExplained(
                route=route.route.template,
                service=route.service.service,
                stage=route.route.stage,
                plan=None if route.plan is None else route.plan.name,
                latched=route.route.template in parts.desk.latches.latched,
            )
            for route in parts.rings.catalog.routes
            if route.route.template in routes
        ),
        incidents=tuple(incidents),
        silences=tuple(
            SilenceView(subject=each.subject, until=each.until, actor=each.actor, why=each.why)
            for each in parts.desk.silences
            if each.until > at and each.subject in names
        ),
        mode=parts.rings.catalog.settings.rollback.mode,
        exclusions=parts.excluding.about({watch.stream.index for watch in watches}),
    )


def _incidents(parts: Parts) -> list[Incident]:
    """Open ones, then closed ones, the newest first."""
    return [*(case.incident for case in parts.desk.cases.values()), *reversed(parts.desk.closed)]


def _meant(parts: Parts, subject: str) -> tuple[str, list[Watch], list[Incident]] | None:
    """(kind, watches, incidents) of a subject; a route's leading slash may be left out."""
    watches, incidents = parts.rings.catalog.watches, _incidents(parts)
    for route in (subject, f"/{subject}"):
        if parts.rings.catalog.route(route) is not None:
            return "route", [each for each in watches if each.stream.route == route], _newest(incidents, route)
    for incident in incidents:
        if incident.id == subject:
            return "incident", [each for each in watches if each.key in _keys(incident)], [incident]
        for alert in incident.alerts:
            if alert.id == subject:
                return "alert", [each for each in watches if each.key == _key(alert.id)], [incident]
    of_slo = [each for each in watches if each.stream.slo.name == subject]
    if of_slo:
        names = {alert.slo for incident in incidents for alert in incident.alerts} & {subject}
        mine = [each for each in incidents if names and any(alert.slo == subject for alert in each.alerts)]
        return "slo", of_slo, [each for each in mine if each.open] + _closed(mine)
    return None


def _newest(incidents: list[Incident], route: str) -> list[Incident]:
    mine = [each for each in incidents if each.route == route]
    return [each for each in mine if each.open] + _closed(mine)


def _closed(incidents: list[Incident]) -> list[Incident]:
    return [each for each in incidents if not each.open][:SHOWN_CLOSED]


def _keys(incident: Incident) -> set[str]:
    return {_key(alert.id) for alert in incident.alerts}


def _key(alert: str) -> str:
    """The watch that raised an alert: its id without the instant."""
    return alert.rpartition(" ")[0]


def _watch(parts: Parts, watch: Watch, tally: Tally | None, at: Instant) -> WatchExplained:
    states, index = parts.watches, watch.stream.index
    cut = int(states.cut[watch.index])
    known = tally is not None and bool(tally.known[index])
    finding = "" if tally is None else tally.stream_findings.get(index, "")
    firing = states.firing.get(watch.index)
    windows = () if watch.early else tuple(_windows(parts, watch, cut))
    evidence = None if watch.early else _evidence(parts, watch, cut)
    because = [_measured(known, finding)]
    because += _of_lane(parts, watch, at) if watch.early else _of_tier(parts, watch, windows, evidence, cut)
    if not watch.early and firing is None and confirmed(parts.rings, watch, cut).over:
        because.append(_not_over(parts, watch, at))
    budget = 1 - watch.stream.slo.objective
    return WatchExplained(
        key=watch.key,
        alert=watch.name,
        slo=watch.stream.slo.name,
        service=watch.stream.service.service,
        route=watch.stream.route,
        tier=watch.tier,
        lane=watch.lane,
        severity=watch.severity,
        objective=watch.stream.slo.objective,
        factor=watch.factor,
        threshold=watch.factor * budget,
        known=known,
        firing=firing,
        windows=windows,
        evidence=evidence,
        early=_lane(parts, watch),
        recovery=None if firing is None else _recovery(parts, watch, at),
        because=tuple(because),
        ignored=cut,
    )


def _measured(known: bool, finding: str) -> Because:
    text = "its requests were measured in the last tick" if known else finding or "nothing was measured yet"
    return Because(name="measured", holds=Tri.YES if known else Tri.UNKNOWN, text=text)


def _windows(parts: Parts, watch: Watch, cut: int) -> Iterator[WindowSeen]:
    for name, length in (("long", watch.long), ("short", watch.short)):
        counts = window_counts(parts.rings, watch.stream, length, cut)
        low, high = _ratios(counts)
        surely, maybe = bounds(watch, counts)
        covered = int(parts.rings.streams(length).covered.most[watch.stream.index])
        agree = surely == maybe and counts.known
        yield WindowSeen(
            name=name,
            length=length,
            inside=Counts(bad=counts.bad, total=counts.total),
            edge=Counts(bad=counts.bad_edge, total=counts.total_edge),
            imputed=counts.imputed,
            covered=min(covered, length),
            low=low,
            high=high,
            over=Tri.UNKNOWN if not agree else Tri.YES if surely else Tri.NO,
            certified=agree,
            left_out=left_out(parts.rings, parts.excluding.known, watch.stream.index, length),
        )


def _ratios(counts: WindowCounts) -> tuple[Fraction | None, Fraction | None]:
    """The least and the greatest error ratio that the counts allow."""
    bad_edge, good_edge = max(counts.bad_edge, 0), max(counts.total_edge - counts.bad_edge, 0)
    least, most = counts.total + counts.imputed + good_edge, counts.total + counts.imputed_least + bad_edge
    low = Fraction(counts.bad, least) if least > 0 else None
    return low, Fraction(counts.bad + bad_edge, most) if most > 0 else low


def _evidence(parts: Parts, watch: Watch, cut: int) -> Evidence:
    counts = window_counts(parts.rings, watch.stream, watch.long, cut)
    objective, alpha = watch.stream.slo.objective, watch.alpha
    total = max(counts.total + counts.imputed + max(counts.total_edge - counts.bad_edge, 0), counts.bad, 0)
    return Evidence(
        counts=Counts(bad=counts.bad, total=total),
        p_value=upper_tail(counts.bad, total, 1 - objective),
        alpha=alpha,
        needed=_needed(total, objective, alpha),
        enough=rejects_within_budget(counts.bad, total, objective, alpha),
    )


def _needed(total: int, objective: Fraction, alpha: Fraction) -> int:
    """The fewest bad events that are evidence among so many; more than there are where even all of them are not."""
    low, high = MINIMUM_BAD, max(total, MINIMUM_BAD)
    while not rejects_within_budget(high, max(total, high), objective, alpha):
        low, high = high + 1, 2 * high
    while low < high:
        middle = (low + high) // 2
        if rejects_within_budget(middle, max(total, middle), objective, alpha):
            high = middle
        else:
            low = middle + 1
    return low


def _of_tier(
    parts: Parts, watch: Watch, windows: tuple[WindowSeen, ...], evidence: Evidence | None, cut: int
) -> list[Because]:
    found = [_over(watch, window) for window in windows]
    if evidence is not None:
        bad, total = evidence.counts.bad, evidence.counts.total
        text = f"{bad} bad of {total:,} in {format_duration(watch.long)}; evidence needs {evidence.needed:,}"
        found.append(Because(name="evidence", holds=Tri.YES if evidence.enough else Tri.NO, text=text))
    if watch.stream.slo.burn != "time":
        for length in (watch.long, watch.short):
            crossing = by_traffic(parts.rings, watch, length, cut)
            text = f"by traffic, its bad events of {format_duration(length)} spend the budget "
            text += "faster than that" if crossing.over else "no faster than that"
            found.append(Because(name="traffic", holds=Tri.YES if crossing.over else Tri.NO, text=text))
    return found


def _over(watch: Watch, window: WindowSeen) -> Because:
    said, holds = _compared(watch, window)
    return Because(name=f"{window.name} window", holds=holds, text="; ".join([said, *_left_out(window.left_out)]))


def _left_out(many: tuple[LeftOut, ...]) -> list[str]:
    return [
        f"{format_seconds(each.lasted)} excluded by {each.exclusion} ({each.who}: {each.why}): "
        f"{each.inside.total + each.edge.total:,} events left out"
        for each in many
    ]


def _compared(watch: Watch, window: WindowSeen) -> tuple[str, Tri]:
    """A window's ratio beside the tier's threshold, and whether it is beyond it."""
    events, limit = window.inside.total + window.edge.total, _percent(watch.ratio)
    if window.low is None:
        text = f"{format_duration(window.length)}: no request was counted"
        return text, Tri.NO if window.covered else Tri.UNKNOWN
    bad = f"{window.inside.bad + window.edge.bad:,} bad of {events:,} in {format_duration(window.length)}"
    measurable = window.length - sum(each.lasted for each in window.left_out)
    if window.imputed and window.covered < measurable:
        rest = format_seconds(measurable - window.covered)
        bad += f", and {window.imputed:,} taken as good for {rest} without measurement"
    between = _percent(window.low)
    if window.high != window.low and window.high is not None:
        between += f" to {_percent(window.high)}"
    text = f"{bad}: {between}, fires above {limit}"
    if not window.certified:
        text += "; the slot at its start could decide it, so it does not fire"
    return text, window.over


def _not_over(parts: Parts, watch: Watch, at: Instant) -> Because:
    quiet = parts.watches.quiet(watch.index, at)
    text = "the windows still hold it, but what came since says that it is over" if quiet else "it fires next"
    return Because(name="still going on", holds=Tri.NO if quiet else Tri.YES, text=text)


def _lane(parts: Parts, watch: Watch) -> Lane | None:
    if watch.early is None:
        return None
    statistic, threshold = parts.watches.lanes.stands(watch.index)
    return Lane(
        statistic=Fraction(statistic, NAT),
        threshold=Fraction(threshold, NAT),
        null=watch.early.p0,
        alternative=watch.early.p1,
    )


def _of_lane(parts: Parts, watch: Watch, at: Instant) -> list[Because]:
    lane = _lane(parts, watch)
    if lane is None:
        return []
    reached = lane.statistic >= lane.threshold
    bad, total = _lately(parts, watch)
    text = f"its statistic stands at {float(lane.statistic):.1f} of {float(lane.threshold):.1f}"
    text += f"; {bad} bad of {total:,} in the last minute"
    text = "; ".join([text, *_left_out(left_out(parts.rings, parts.excluding.known, watch.stream.index, MINUTE))])
    found = [Because(name="statistic", holds=Tri.YES if reached else Tri.NO, text=text)]
    if watch.stream.slo.burn != "time":
        weighs = lane_weighs(parts.rings, watch, at - MINUTE, at)
        text = "by traffic, the last minute spends the budget " + ("fast enough" if weighs else "too slowly")
        found.append(Because(name="traffic", holds=Tri.YES if weighs else Tri.NO, text=text))
    return found


def _lately(parts: Parts, watch: Watch) -> tuple[int, int]:
    if watch.lane == "service":
        return parts.rings.sides(watch.stream, MINUTE)[0]
    window, index = parts.rings.streams(MINUTE), watch.stream.index
    return int(window.bad.most[index]), int(window.total.most[index])


def _recovery(parts: Parts, watch: Watch, at: Instant) -> Recovery:
    runs, ratio = parts.watches.runs, min(watch.ratio, Fraction(1))
    bad, total = runs.since(watch.index)
    return Recovery(
        last_bad=runs.last_impact(watch.index),
        hold=parts.rings.catalog.settings.alerting.hold,
        held=parts.watches.quiet(watch.index, at),
        since=Counts(bad=bad, total=total),
        needed=clean_requests_needed(ratio),
        rejected=rejects_still_burning(bad, total, ratio),
    )


def _percent(ratio: Fraction) -> str:
    return f"{float(ratio):.3%}" if ratio < Fraction(1, 100) else f"{float(ratio):.2%}"
