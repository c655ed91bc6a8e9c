"""Figures of criteria that are made of what was told: deployments, samples of data, and figures that people brought."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from figwatch_agent.durations import DAY, MINUTE, Duration, Instant, format_duration, format_instant
from figwatch_agent.engine.book import Book
from figwatch_agent.evaluate.brought import brought
from figwatch_agent.evaluate.data_loss import Check, DataLoss, Lag, data_loss
from figwatch_agent.evaluate.deployment_frequency import Deployment, Frequency, counted
from figwatch_agent.model.baseline import RecordedBaseline
from figwatch_agent.model.batch import SAMPLE, Reading
from figwatch_agent.model.event import FAILURE, Event, EventKind
from figwatch_agent.model.names import Measure
from figwatch_agent.model.slo import Criterion, ServiceSlos
from figwatch_agent.model.view import BaselineView, Counts, Figure, Measured

EVENT_KINDS: Final[Mapping[Measure, EventKind]] = {
    Measure.DEPLOYMENT_FREQUENCY: EventKind.DEPLOYMENT,
    Measure.SATISFACTION: EventKind.SATISFACTION,
    Measure.DELIVERY_SPEED: EventKind.DELIVERY_SPEED,
    Measure.INFRASTRUCTURE_COST: EventKind.INFRASTRUCTURE_COST,
    Measure.DEVELOPER_PRODUCTIVITY: EventKind.DEVELOPER_PRODUCTIVITY,
    Measure.TIME_TO_MARKET: EventKind.TIME_TO_MARKET,
}
"""What is compared with a baseline, and the events that it is made of."""

EVERY: Final[Duration] = DAY
"""Between two samples of data, where a criterion says nothing else."""

FEW: Final = 500
"""Samples that are accounted for in a millisecond or two."""

RULE: Final = "successful deployments, one for each id"


def deployments_of(book: Book, end: Instant) -> list[Deployment]:
    """All deployments that were told of, up to an instant."""
    return [
        Deployment(id=event.id, service=event.service, at=event.at, succeeded=event.get("status") != FAILURE)
        for event in book.between(EventKind.DEPLOYMENT, -1, end)
    ]


def values_of(
    book: Book, service: ServiceSlos, criterion: Criterion, start: Instant, end: Instant
) -> tuple[list[Fraction], set[str]]:
    """Figures that were brought for a criterion in (start, end], oldest first, and their units."""
    mine = [event for event in book.between(EVENT_KINDS[criterion.measure], start, end) if _concerns(event, service)]
    return [value for event in mine if (value := event.number("value")) is not None], {
        event.get("unit") for event in mine
    }


def nothing(criterion: Criterion, unit: str, reason: str, coverage: Fraction | None = None) -> Measured:
    """No figure, and why."""
    return Measured(
        criterion=criterion,
        low=None,
        high=None,
        estimate=None,
        unit=unit,
        coverage=coverage,
        counts=None,
        evidence="",
        reason=reason,
    )


def frequency_of(book: Book, service: ServiceSlos, criterion: Criterion, at: Instant) -> Measured:
    """Deployments a day against the baseline: the counted ratio decides, its exact interval is shown."""
    start, whose = at - criterion.over, service.service or "all services"
    query = f"{RULE}, of {whose}"
    first = book.first(EventKind.DEPLOYMENT)
    recorded, problem = _baseline(book, criterion, "per_day")
    if first is None or first.at > at:
        return nothing(criterion, "per_day", "no deployment was told of yet")
    now = Frequency(count=counted(deployments_of(book, at), start, at, service.service), over=criterion.over)
    known = min(at - first.at, criterion.over)
    figures, evidence = [], f"{now.count} deployments in {format_duration(criterion.over)}"
    if recorded is not None and recorded.count is not None and recorded.start is not None and recorded.end is not None:
        before = Frequency(count=recorded.count, over=recorded.end - recorded.start)
        low, high = now.interval(before)
        times = now.times(before)
        evidence += f", {before.count} in the {format_duration(before.over)} of the baseline"
        evidence += "" if times is None else f": x{float(times):.3g}"
        evidence += f" (95 % interval {low:.3g} to {'any' if high is None else f'{high:.3g}'})"
        figures.append(
            Figure(
                name="times the baseline",
                low=Fraction(low),
                high=None if high is None else Fraction(high),
                estimate=times,
                unit="times",
                counts=Counts(bad=before.count, total=before.count + now.count),
                note="exact 95 % interval of the ratio of two Poisson rates; the counted ratio decides",
            )
        )
    if not problem and known < criterion.over:
        problem = f"deployments are told of since {format_instant(first.at)} only: there may have been more before"
    return Measured(
        criterion=criterion,
        low=now.per_day,
        # Where telling began within the window, there may have been more that nobody told of.
        high=now.per_day if known == criterion.over else None,
        estimate=now.per_day,
        unit="per_day",
        coverage=Fraction(known, criterion.over),
        counts=Counts(bad=0, total=now.count),
        evidence=evidence,
        reason=problem,
        baseline=None if recorded is None else recorded.value,
        query=query,
        figures=tuple(figures),
        recorded=_shown(recorded),
    )


def brought_of(book: Book, service: ServiceSlos, criterion: Criterion, at: Instant) -> Measured:
    """The mean of figures that people brought, against the baseline."""
    values, units = values_of(book, service, criterion, at - criterion.over, at)
    kind = EVENT_KINDS[criterion.measure].value
    found = brought(values)
    if found is None:
        return nothing(criterion, "number", f"no {kind} was told of in {format_duration(criterion.over)}")
    if len(units) > 1:
        named = ", ".join(sorted(unit or "no unit" for unit in units))
        return nothing(criterion, "number", f"its figures are in different units: {named}")
    unit = next(iter(units)) or "number"
    recorded, problem = _baseline(book, criterion, unit)
    return Measured(
        criterion=criterion,
        low=found.mean,
        high=found.mean,
        estimate=found.mean,
        unit=unit,
        coverage=None,
        counts=Counts(bad=0, total=found.count),
        evidence=f"mean of {found.count}, from {float(found.lowest):g} to {float(found.highest):g}, newest "
        f"{float(found.newest):g}",
        reason=problem,
        baseline=None if recorded is None else recorded.value,
        query=f"mean of {kind} events of {service.service or 'all services'}",
        recorded=_shown(recorded),
    )


def data_loss_of(
    book: Book, service: ServiceSlos, criterion: Criterion, at: Instant, readings: Mapping[str, Reading]
) -> Measured:
    """Records that differ between the stores; time without samples is unknown and never zero loss."""
    every = criterion.every or EVERY
    unit = "ratio" if criterion.target.endswith("%") else "number"
    found = _account(book, service, criterion, every, at)
    asked = readings.get(SAMPLE + criterion.name)
    failed = f"the newest query failed: {asked.detail}" if asked is not None and not asked.ok else ""
    if found is None:
        why = f"no sample of data was taken in {format_duration(criterion.over)}"
        return nothing(criterion, unit, f"{why}; {failed}" if failed else why)
    worst = "" if found.worst_lag is None else f", the copy at most {float(found.worst_lag):g} s behind"
    evidence = f"{found.mismatched} of {found.checked} compared records differ, in {found.checks} checks{worst}"
    low, high, estimate = _bounds(found, unit)
    return Measured(
        criterion=criterion,
        low=low,
        high=high,
        estimate=estimate,
        unit=unit,
        coverage=found.coverage,
        counts=Counts(bad=found.mismatched, total=found.checked),
        evidence=f"{evidence}; {failed}" if failed else evidence,
        reason="" if found.coverage == 1 else f"only {float(found.coverage):.2%} of the time has a sample",
        query=criterion.sql.query if criterion.sql is not None else "consistency and lag events",
        figures=() if found.worst_lag is None else (_lag_figure(found.worst_lag),),
    )


def _account(book: Book, service: ServiceSlos, criterion: Criterion, every: Duration, at: Instant) -> DataLoss | None:
    checks, lags = book.remembered(
        f"samples {criterion.name}", book.version, lambda: _samples(book, service, criterion)
    )
    # A month of samples every few minutes is looked at once a minute, and not at every tick.
    end = at if len(checks) + len(lags) <= FEW else at - at % MINUTE
    return book.remembered(
        f"data loss {criterion.name}",
        (book.version, end),
        lambda: data_loss(checks, lags, every, end - criterion.over, end),
    )


def _samples(book: Book, service: ServiceSlos, criterion: Criterion) -> tuple[list[Check], list[Lag]]:
    """Everything that was told for a criterion, oldest first."""

    def mine(kind: EventKind) -> list[Event]:
        named = ("", criterion.name)
        return [each for each in book.all(kind) if _concerns(each, service) and each.get("criterion") in named]

    checks = [
        Check(at=each.at, checked=int(each.get("checked")), mismatched=int(each.get("mismatched")))
        for each in mine(EventKind.CONSISTENCY)
    ]
    return checks, [Lag(at=each.at, seconds=each.number("seconds") or Fraction(0)) for each in mine(EventKind.LAG)]


def _bounds(found: DataLoss, unit: str) -> tuple[Fraction | None, Fraction | None, Fraction | None]:
    if unit == "ratio":
        return found.ratio_low, found.ratio_high, found.ratio
    high = found.records_high
    return Fraction(found.records_low), None if high is None else Fraction(high), Fraction(found.records_low)


def _lag_figure(seconds: Fraction) -> Figure:
    return Figure(
        name="worst lag",
        low=seconds * 1000,
        high=seconds * 1000,
        estimate=seconds * 1000,
        unit="ms",
        note="records that a loss of the first store would take with it",
    )


def _baseline(book: Book, criterion: Criterion, unit: str) -> tuple[RecordedBaseline | None, str]:
    """The baseline that this figure may be compared with, or why there is none."""
    recorded = book.baselines.get(criterion.name)
    if recorded is None:
        return None, f"no baseline was recorded: figwatch baseline record {criterion.name}"
    if recorded.measure is not criterion.measure:
        return None, f"its baseline was recorded for {recorded.measure.value}: record it anew with --replace"
    if recorded.unit != unit:
        return None, f"its baseline is in {recorded.unit} and the figure in {unit}"
    return recorded, "" if recorded.value else "its baseline is zero, and no multiple of that says anything"


def _shown(recorded: RecordedBaseline | None) -> BaselineView | None:
    if recorded is None:
        return None
    return BaselineView(
        value=recorded.value,
        unit=recorded.unit,
        count=recorded.count,
        start=recorded.start,
        end=recorded.end,
        recorded_at=recorded.recorded_at,
        actor=recorded.actor,
    )


def _concerns(event: Event, service: ServiceSlos) -> bool:
    return not event.service or not service.service or event.service == service.service
