"""/metrics: the cells as prometheus_client metrics, in the text format or OpenMetrics as the scraper asks."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping, Sequence
from itertools import zip_longest
from typing import Any, Final, Literal, overload

from prometheus_client import CollectorRegistry, samples
from prometheus_client.exposition import generate_latest as plain_text
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE_OPENMETRICS
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics_text
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from figwatch import contract
from figwatch.cells import Definition, Reading, whole
from figwatch.errors import DefinitionError
from figwatch.span_record import SpanRecord
from figwatch.telemetry import Telemetry, process

_OPENMETRICS: Final = "application/openmetrics-text"
_PLAIN: Final = "text/plain; version=0.0.4; charset=utf-8"
"""prometheus_client has a name for it from 0.23 on."""
_TOTAL: Final = "_total"
_NANOSECONDS: Final = 1e9

Exemplars = Callable[[tuple[str, ...]], Sequence[SpanRecord | None]]
"""The exemplars of a series of REQUEST_DURATION, one for each bucket or none at all."""

Scope = MutableMapping[str, Any]
WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]


class CellsCollector(Collector):
    """Reads every family at each scrape; a family without series still shows its HELP and TYPE."""

    def __init__(self, telemetry: Telemetry) -> None:
        """Register it with any prometheus_client registry to add our series to a page of your own."""
        self._telemetry = telemetry

    def collect(self) -> Iterator[Metric]:
        """One prometheus_client metric per family."""
        for definition, readings in self._telemetry.cells.snapshot():
            yield _metric(definition, readings, self._telemetry.requests.exemplars)


class Page:
    """Renders the metrics page of one telemetry. Never raises: a page that cannot be made is a 500, and counted."""

    def __init__(self, telemetry: Telemetry) -> None:
        """The page has a registry of its own: nothing else in the process appears on it."""
        self._telemetry = telemetry
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(CellsCollector(telemetry))

    def __call__(self, accept: str) -> tuple[int, str, bytes]:
        """Status, content type and body for an Accept header."""
        try:
            if wants_openmetrics(accept):
                return 200, CONTENT_TYPE_OPENMETRICS, openmetrics_text(self._registry)  # type: ignore[no-untyped-call]  # untyped in prometheus_client
            return 200, _PLAIN, plain_text(self._registry)
        except Exception as error:  # noqa: BLE001 - a scrape must not take the service down
            self._telemetry.health.fault("exposition", error)
            return 500, "text/plain; charset=utf-8", b"the metrics page could not be made; see the service's log\n"


def wants_openmetrics(accept: str) -> bool:
    """Whether an Accept header names OpenMetrics, without refusing it by a quality of zero."""
    for offer in accept.lower().split(","):
        kind, *parameters = (part.strip() for part in offer.split(";"))
        if kind == _OPENMETRICS:
            return not any(
                parameter.replace(" ", "") in ("q=0", "q=0.0", "q=0.00", "q=0.000") for parameter in parameters
            )
    return False


def page() -> Page:
    """The page of this process."""
    return Page(process())


class MetricsPage:
    """An ASGI application that answers every path with the metrics page: to serve, to mount, or as an endpoint."""

    def __init__(self) -> None:
        """Made by `metrics_app`."""
        # The adapter is imported late: a WSGI service never needs it.
        from figwatch.server.asgi import answer_scrape

        self._answer = answer_scrape
        self._render = page()

    async def __call__(
        self, scope: Scope, receive: Callable[[], Awaitable[Scope]], send: Callable[[Scope], Awaitable[None]]
    ) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, send, self._render)


@overload
def metrics_app(kind: Literal["asgi"] = "asgi") -> MetricsPage: ...


@overload
def metrics_app(kind: Literal["wsgi"]) -> WsgiApp: ...


def metrics_app(kind: Literal["asgi", "wsgi"] = "asgi") -> MetricsPage | WsgiApp:
    """An application that answers every path with this process's metrics page, for a port or a mount of its own.

    `kind` says what the server speaks: `asgi` (uvicorn, a Mount or a Route of Starlette's) or `wsgi`. Instrumented
    applications have the page already. Raises DefinitionError.
    """
    if kind == "asgi":
        return MetricsPage()
    if kind != "wsgi":
        raise DefinitionError(f"metrics_app({kind!r}) is not known: write 'asgi' or 'wsgi'")
    from figwatch.server.wsgi import answer_scrape

    render = page()

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return answer_scrape(environ, start_response, render)

    return app


async def _lifespan(receive: Callable[[], Awaitable[Scope]], send: Callable[[Scope], Awaitable[None]]) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _metric(definition: Definition, readings: list[Reading], exemplars: Exemplars) -> Metric:
    metric = Metric(_base_name(definition), definition.help, definition.kind, definition.unit)
    for reading in readings:
        labels = dict(zip(definition.labels, reading.labels, strict=True))
        if definition.kind == "counter":
            _fill_counter(metric, labels, reading)
        else:
            kept = exemplars(reading.labels) if definition.name == contract.REQUEST_DURATION else ()
            _fill_histogram(metric, labels, reading, definition.bounds, kept)
    return metric


def _base_name(definition: Definition) -> str:
    """prometheus_client puts `_total` back on counters."""
    return definition.name.removesuffix(_TOTAL) if definition.kind == "counter" else definition.name


def _fill_counter(metric: Metric, labels: dict[str, str], reading: Reading) -> None:
    metric.add_sample(metric.name + _TOTAL, labels, reading.counts[0] + whole(reading.total))
    metric.add_sample(metric.name + "_created", labels, reading.created)


def _fill_histogram(
    metric: Metric,
    labels: dict[str, str],
    reading: Reading,
    bounds: tuple[float, ...],
    exemplars: Sequence[SpanRecord | None],
) -> None:
    running = 0
    for edge, count, kept in zip_longest(_edges(bounds), reading.counts, exemplars):
        running += count
        metric.add_sample(
            metric.name + "_bucket", {**labels, "le": edge}, running, exemplar=None if kept is None else _shown(kept)
        )
    metric.add_sample(metric.name + "_count", labels, running)
    metric.add_sample(metric.name + "_sum", labels, reading.total)
    metric.add_sample(metric.name + "_created", labels, reading.created)


def _shown(exemplar: SpanRecord) -> samples.Exemplar:
    identity = {"trace_id": exemplar.trace_id, "span_id": exemplar.span_id}
    return samples.Exemplar(identity, exemplar.seconds, exemplar.end / _NANOSECONDS)


def _edges(bounds: tuple[float, ...]) -> list[str]:
    """Values of `le`."""
    return [floatToGoString(bound) for bound in (*bounds, float("inf"))]  # type: ignore[no-untyped-call]  # untyped there
