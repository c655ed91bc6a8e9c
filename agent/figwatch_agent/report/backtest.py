"""The same history under two promises: which pages are the same, new or lost, and how right they were."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from figwatch_agent.durations import Instant, format_instant
from figwatch_agent.model.backtested import Backtested, Judged, Page, Scored
from figwatch_agent.model.incident import Incident, IncidentKind
from figwatch_agent.model.labelled import Labelled, Swept
from figwatch_agent.model.names import Severity
from figwatch_agent.model.replayed import Replayed
from figwatch_agent.report.exact import decimal, fraction
from figwatch_agent.report.numbers import number, seconds
from figwatch_agent.report.replay import figures, instant, slo_names

FailOn = Literal["any", "new-pages", "lost-pages", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The pages of a base and a head, side by side. Pages of one route that overlap are the same page."""

    same: tuple[tuple[Page, Page], ...]  # base and head
    lost: tuple[Page, ...]  # of the base alone
    new: tuple[Page, ...]  # of the head alone

    def fails(self, on: str) -> bool:
        """Whether a check that fails on this kind of difference fails."""
        return bool((on in ("any", "new-pages") and self.new) or (on in ("any", "lost-pages") and self.lost))


def judged(
    name: str,
    replayed: Replayed,
    labels: Sequence[Labelled] | None,
    tried: Swept | None = None,
    notices: tuple[str, ...] = (),
) -> Judged:
    """A replay with its pages, held against what people remember."""
    pages = pages_of(replayed)
    return Judged(
        name=name,
        replayed=replayed,
        pages=pages,
        tickets=sum(one.alert.severity is Severity.TICKET for one in replayed.alerts),
        by_pages=None if labels is None else score_pages(pages, labels, replayed.end),
        by_rollbacks=None if labels is None else score_rollbacks(pages, labels, replayed.end),
        tried=tried,
        notices=notices,
    )


def pages_of(replayed: Replayed) -> tuple[Page, ...]:
    """In the order in which they would have been sent."""
    rollbacks = {one.incident: one.at for one in replayed.rollbacks}
    found = [_page(incident, rollbacks) for incident in replayed.incidents if incident.kind is IncidentKind.ROUTE]
    return tuple(sorted((page for page in found if page is not None), key=lambda page: (page.fired_at, page.route)))


def _page(incident: Incident, rollbacks: dict[str, Instant]) -> Page | None:
    paging = sorted((one for one in incident.alerts if one.severity is Severity.PAGE), key=lambda one: one.fired_at)
    if not paging:
        return None
    return Page(
        route=incident.route,
        impact_start=min(alert.impact_start for alert in paging),
        fired_at=paging[0].fired_at,
        resolved_at=incident.resolved_at,
        fired=tuple(dict.fromkeys(f"{alert.slo} {alert.tier}" for alert in paging)),
        would_roll_back_at=rollbacks.get(incident.id),
    )


def difference(base: Judged, head: Judged) -> Difference:
    """Page for page. A page of the head that overlaps several of the base is the same as the first of them alone."""
    left, same, new = list(base.pages), [], []
    end = max(base.replayed.end or 0, head.replayed.end or 0)
    for page in head.pages:
        match = next((one for one in left if one.route == page.route and _overlap(one, page, end)), None)
        if match is None:
            new.append(page)
        else:
            left.remove(match)
            same.append((match, page))
    return Difference(same=tuple(same), lost=tuple(left), new=tuple(new))


def _overlap(one: Page, other: Page, end: Instant) -> bool:
    return one.impact_start <= _until(other, end) and other.impact_start <= _until(one, end)


def _until(page: Page, end: Instant | None) -> Instant:
    return page.resolved_at if page.resolved_at is not None else max(end or 0, page.fired_at)


def score_pages(pages: Sequence[Page], labels: Sequence[Labelled], end: Instant | None) -> Scored:
    """A page is right where anybody remembers an incident of its route at its time, and an incident found where a page
    is."""
    right = sum(any(_about(page, label, end) for label in labels) for page in pages)
    found = sum(any(_about(page, label, end) for page in pages) for label in labels)
    return Scored(right=right, happened=len(pages), found=found, wanted=len(labels))


def score_rollbacks(pages: Sequence[Page], labels: Sequence[Labelled], end: Instant | None) -> Scored:
    """A rollback is right where the incident list says yes, wrong where it says no or knows of no incident."""
    right = judged_ones = unjudged = 0
    for page in (page for page in pages if page.would_roll_back_at is not None):
        about = [label.rollback_right for label in labels if _about(page, label, end)]
        if about and all(one is None for one in about):
            unjudged += 1
        else:
            judged_ones += 1
            right += True in about
    wanted = [label for label in labels if label.rollback_right]
    rolled = [page for page in pages if page.would_roll_back_at is not None]
    found = sum(any(_about(page, label, end) for page in rolled) for label in wanted)
    return Scored(right=right, happened=judged_ones, found=found, wanted=len(wanted), unjudged=unjudged)


def _about(page: Page, label: Labelled, end: Instant | None) -> bool:
    if label.route not in ("", page.route):
        return False
    return page.impact_start <= label.end and label.start <= _until(page, end)


def backtest_document(backtested: Backtested) -> dict[str, Any]:
    """The whole of it as JSON: integers, exact decimals as texts, ISO instants."""
    base, head = backtested.base, backtested.head
    labels = backtested.labels
    return {
        "base": _judged(base),
        "head": None if head is None else _judged(head),
        "difference": None if head is None else _difference(difference(base, head)),
        "sweep": [{**_tried(one), **_judged(one)} for one in backtested.sweep],
        "incidents": None if labels is None else {"in_history": len(labels), "outside": backtested.outside},
        "assumptions": list(backtested.assumptions),
    }


def detection(pages: Iterable[Page]) -> tuple[Fraction | None, int | None]:
    """(mean, worst) milliseconds from the start of what users suffered to the page; None without pages."""
    found = [page.detection for page in pages]
    return (Fraction(sum(found), len(found)), max(found)) if found else (None, None)


def _judged(one: Judged) -> dict[str, Any]:
    mean, worst = detection(one.pages)
    replayed = one.replayed
    return {
        "from": instant(replayed.start),
        "to": instant(replayed.end),
        "ticks": replayed.ticks,
        "slos": [
            {"name": name, **figures([stream for stream in replayed.streams if stream.slo == name])}
            for name in slo_names(replayed)
        ],
        "pages": [page_document(page) for page in one.pages],
        "tickets": one.tickets,
        "detection_seconds": {
            "mean": None if mean is None else number(mean / 1000),
            "worst": None if worst is None else seconds(worst),
        },
        "rollbacks": sum(page.would_roll_back_at is not None for page in one.pages),
        "page_score": _scored(one.by_pages, "no page to judge", "no incident to find"),
        "rollback_score": _scored(one.by_rollbacks, "no rollback to judge", "no rollback that would have been right"),
        "findings": list(replayed.findings),
        "notices": [*replayed.notices, *one.notices],
    }


def page_document(page: Page) -> dict[str, Any]:
    """One page."""
    return {
        "route": page.route,
        "impact_start": format_instant(page.impact_start),
        "fired_at": format_instant(page.fired_at),
        "resolved_at": instant(page.resolved_at),
        "detection_seconds": seconds(page.detection),
        "fired": list(page.fired),
        "would_roll_back_at": instant(page.would_roll_back_at),
    }


def _difference(found: Difference) -> dict[str, Any]:
    return {
        "same": [{"base": page_document(one), "head": page_document(other)} for one, other in found.same],
        "new": [page_document(page) for page in found.new],
        "lost": [page_document(page) for page in found.lost],
    }


def _tried(one: Judged) -> dict[str, Any]:
    return {"key": one.tried.key, "value": one.tried.value} if one.tried is not None else {}


def _scored(scored: Scored | None, nothing_happened: str, nothing_wanted: str) -> dict[str, Any] | None:
    if scored is None:
        return None
    reasons = [
        reason
        for missing, reason in ((not scored.happened, nothing_happened), (not scored.wanted, nothing_wanted))
        if missing
    ]
    return {
        "right": scored.right,
        "happened": scored.happened,
        "found": scored.found,
        "wanted": scored.wanted,
        "unjudged": scored.unjudged,
        "precision": decimal(scored.precision),
        "precision_fraction": fraction(scored.precision),
        "recall": decimal(scored.recall),
        "recall_fraction": fraction(scored.recall),
        "reason": "; ".join(reasons) or None,
    }
