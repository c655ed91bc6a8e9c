"""A report without an agent: what counters of a history tell of the criteria, and why they tell nothing of the rest."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from figwatch import contract
from figwatch_agent.commands._history import Lived, Services, lived, progress, read_by
from figwatch_agent.commands._span import Span
from figwatch_agent.durations import format_instant
from figwatch_agent.engine import Engine
from figwatch_agent.engine.catalog import compile_catalog
from figwatch_agent.engine.past import PastCounter
from figwatch_agent.errors import NotEnoughData
from figwatch_agent.model.batch import Series
from figwatch_agent.model.history import SPANS
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.names import Measure
from figwatch_agent.model.past import History
from figwatch_agent.model.replayed import Replayed
from figwatch_agent.model.settings import Settings
from figwatch_agent.model.slo import Availability, Latency
from figwatch_agent.model.view import Measured, View
from figwatch_agent.report.whole import Material, drawn_routes, report_document
from figwatch_agent.sources.history_batches import batches_of
from figwatch_agent.sources.prometheus_library import PrometheusLibrary

_BROUGHT: Final = "a history of counters holds no figures that people bring: ask the agent that was told of them"

_NOT_THERE: Final = {
    Measure.UPTIME: "a history of counters holds no probes: ask the agent that asked them",
    Measure.DATA_LOSS: "a history of counters holds no samples of data: ask the agent that was told of them",
    Measure.DEPLOYMENT_FREQUENCY: "a history of counters holds no deployments: ask the agent that was told of them",
    Measure.SATISFACTION: _BROUGHT,
    Measure.DELIVERY_SPEED: _BROUGHT,
    Measure.INFRASTRUCTURE_COST: _BROUGHT,
    Measure.DEVELOPER_PRODUCTIVITY: _BROUGHT,
    Measure.TIME_TO_MARKET: _BROUGHT,
}
"""Why a measure has no figure where it rests on more than counters."""

_BY_REQUEST: Final = (Measure.LEGACY_RATIO, Measure.LATENCY_P95)
_REQUESTS: Final = frozenset(contract.REQUEST_DURATION + part for part in ("_count", "_bucket"))


def past_document(
    services: Services, settings: Settings, history: tuple[Path, ...], prometheus: str | None, span: Span
) -> dict[str, Any]:
    """The report at the end of a history. Raises NotEnoughData where nothing of it lies in the span."""
    read = read_by(history, prometheus, settings, span, PrometheusLibrary)
    past = read(PastCounter(compile_catalog(services, settings)).names() | _REQUESTS, lambda series: True)
    if not past.samples:
        raise NotEnoughData("the history holds no samples: there is nothing to report")
    life = lived(services, settings, past, span)
    if life.replayed.end is None:
        raise NotEnoughData("the history holds no samples in this span: there is nothing to report")
    users = _users(services, past, life)
    view = _told(life.engine.view(life.replayed.end), users.view(life.replayed.end), life.replayed, prometheus)
    over = SPANS["30d"][0]
    drawn = (life.engine.history(route, over) for route in drawn_routes(view))
    histories = tuple(one for one in drawn if one is not None)
    return report_document(Material(view=view, shares=users.shares(over), histories=histories))


def _users(services: Services, history: History, life: Lived) -> Engine:
    """A second engine that counts who served and how long it took, answer by answer: the replay counts SLOs alone."""
    requests = tuple(
        replace(
            one, slos=tuple(replace(slo, tiers=()) for slo in one.slos if isinstance(slo.sli, (Availability, Latency)))
        )
        for one in services
    )
    engine = Engine(requests, life.settings, keeps_state=False)
    answers = batches_of(history, life.ticks.tolist(), life.start, _is_request)
    with progress(answers, "Counting requests") as ticks:
        for now, batches in ticks:
            engine.advance(Inputs(batches=batches), now)
    return engine


def _is_request(series: Series) -> bool:
    return series.name in _REQUESTS


def _told(view: View, users: View, replayed: Replayed, prometheus: str | None) -> View:
    """With the figures of requests, the reasons of a history, and what is to be known of it."""
    pairs = zip(view.criteria, users.criteria, strict=True)
    criteria = (by_user if one.criterion.measure in _BY_REQUEST else _reasoned(one) for one, by_user in pairs)
    findings = dict.fromkeys((*_about(replayed, prometheus), *replayed.findings, *replayed.notices, *view.findings))
    return replace(view, criteria=tuple(criteria), routes=users.routes, findings=tuple(findings))


def _reasoned(measured: Measured) -> Measured:
    reason = _NOT_THERE.get(measured.criterion.measure)
    return measured if reason is None or measured.estimate is not None else replace(measured, reason=reason)


def _about(replayed: Replayed, prometheus: str | None) -> Iterable[str]:
    where = "files" if prometheus is None else f"the history of {prometheus}"
    start, end = format_instant(replayed.start or 0), format_instant(replayed.end or 0)
    yield f"read from {where}, {start} to {end}, without an agent: incidents are those that figwatch would have opened"
    for stream in replayed.streams:
        if stream.reason:
            yield f"{stream.slo}: {stream.reason}"
