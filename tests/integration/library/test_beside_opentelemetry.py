"""Beside an existing OpenTelemetry set-up: one server span, one count; provider, sampler and processors are obeyed."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import fastapi
import pytest
from aiohttp import web
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.instrumentation.aiohttp_server import AioHttpServerInstrumentor, create_aiohttp_middleware
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware as ContribAsgi
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware as ContribWsgi
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased as Ratio
from opentelemetry.trace import SpanKind, StatusCode
from starlette.middleware.opentelemetry import OpenTelemetryMiddleware as StarlettesOwn
from werkzeug.middleware.proxy_fix import ProxyFix

import figwatch
from figwatch.telemetry import Telemetry
from figwatch.testing import recording
from support import stage
from support.families import FAMILIES, TEMPLATES, Family, ask, instrumented, until
from support.library import call_asgi, call_wsgi, fresh_telemetry

TRACE = "0af7651916cd43dd8448eb211c80319c"
SAMPLED = f"00-{TRACE}-b7ad6b7169203331-01"
UNSAMPLED = f"00-{TRACE}-b7ad6b7169203331-00"
BY_NAME = {family.name: family for family in FAMILIES}
each_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


class Setup(NamedTuple):
    """An application's own OpenTelemetry, and the library's telemetry beside it."""

    provider: TracerProvider
    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader
    telemetry: Telemetry

    def spans(self) -> list[ReadableSpan]:
        self.provider.force_flush()
        return list(self.exporter.get_finished_spans())

    def server_spans(self) -> list[ReadableSpan]:
        return [span for span in self.spans() if span.kind is SpanKind.SERVER]

    def foreign_counts(self) -> list[str]:
        """Names of request durations that somebody else recorded."""
        data: Any = self.reader.get_metrics_data()
        if data is None:
            return []
        found = [m.name for r in data.resource_metrics for scope in r.scope_metrics for m in scope.metrics]
        return [name for name in found if "duration" in name]


def begin(monkeypatch: pytest.MonkeyPatch, sampler: Sampler = ALWAYS_ON) -> Setup:
    provider = TracerProvider(resource=Resource({"service.name": "theirs"}), sampler=sampler, shutdown_on_exit=False)
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    telemetry = fresh_telemetry(stage.TIMER)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    monkeypatch.setattr(
        "opentelemetry.metrics._internal._METER_PROVIDER", MeterProvider([reader], shutdown_on_exit=False)
    )
    monkeypatch.setattr("figwatch.telemetry._process", telemetry)
    return Setup(provider, exporter, reader, telemetry)


@pytest.fixture
def setup(monkeypatch: pytest.MonkeyPatch) -> Iterator[Setup]:
    made = begin(monkeypatch)
    yield made
    made.provider.shutdown()


def serve_one(family: Family, app: Any, path: str, telemetry: Telemetry, **headers: str) -> None:
    with recording_counts(telemetry) as counted, family.serve(app) as port:
        assert ask(port, path, headers=headers).status == 200
        until(lambda: counted() == 1)


class recording_counts:  # noqa: N801 (used as a context manager, named as what it does)
    """Requests counted since it began; unlike `recording` it leaves the spans alone."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    def __enter__(self) -> Callable[[], int]:
        with recording(self._telemetry) as recorded:
            pass
        return recorded.requests

    def __exit__(self, *_error: object) -> None:
        pass


# ---- row 20: an application that carries other instrumentation ------------------------------------------------------


def contrib_asgi(family: Family) -> Any:
    return ContribAsgi(family.make())


def contrib_added(family: Family) -> Any:
    app = family.make()
    app.add_middleware(ContribAsgi)
    return app


def starlettes_own(family: Family) -> Any:
    app = family.make()
    app.add_middleware(StarlettesOwn)
    return app


def fastapis_own(family: Family) -> Any:
    return family.make()


def contrib_fastapi(family: Family) -> Any:
    app: FastAPI = family.make()
    FastAPIInstrumentor.instrument_app(app)
    return app


def contrib_flask(family: Family) -> Any:
    app = family.make()
    FlaskInstrumentor().instrument_app(app)  # type: ignore[no-untyped-call]  # untyped there
    return app


def contrib_wsgi(family: Family) -> Any:
    app = family.make()
    app.wsgi_app = ContribWsgi(app.wsgi_app)
    return app


def contrib_django(family: Family) -> Any:
    family.make()  # configures Django
    DjangoInstrumentor().instrument()
    return family.make()


def contrib_aiohttp(family: Family) -> Any:
    with pytest.warns(DeprecationWarning, match="Inheritance"):  # contrib's own way
        AioHttpServerInstrumentor().instrument()
    app: web.Application = family.make()
    AioHttpServerInstrumentor().uninstrument()
    return app


def contrib_all_fastapi(family: Family) -> Any:
    """As `opentelemetry-instrument` does it: every application that is made from now on."""
    FastAPIInstrumentor().instrument()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("support.families.FastAPI", fastapi.FastAPI)
        app = family.make()
    assert type(app) is not FastAPI
    return app


def contrib_all_flask(family: Family) -> Any:
    FlaskInstrumentor().instrument()
    app = family.make()
    FlaskInstrumentor().uninstrument()
    return app


def contrib_all_flask_behind_a_proxy(family: Family) -> Any:
    app = contrib_all_flask(family)
    app.wsgi_app = ProxyFix(app.wsgi_app, x_prefix=1)
    return app


def contrib_wsgi_behind_a_proxy(family: Family) -> Any:
    app = contrib_wsgi(family)
    app.wsgi_app = ProxyFix(app.wsgi_app, x_prefix=1)
    return app


def contrib_wsgi_around(family: Family) -> Any:
    return ContribWsgi(family.make())


def contrib_aiohttp_listed(family: Family) -> Any:
    contrib_aiohttp(family)  # its middleware works only once the instrumentor has been used
    app: web.Application = family.make()
    app.middlewares.append(create_aiohttp_middleware())
    return app


CARRIED: list[tuple[str, Callable[[Family], Any]]] = [
    ("asgi", contrib_asgi),
    ("starlette", contrib_added),
    ("starlette", starlettes_own),
    ("fastapi", fastapis_own),
    ("fastapi", contrib_added),
    ("fastapi", contrib_fastapi),
    ("fastapi", contrib_all_fastapi),
    ("fastapi", starlettes_own),
    ("flask", contrib_flask),
    ("flask", contrib_wsgi),
    ("flask", contrib_all_flask),
    ("flask", contrib_all_flask_behind_a_proxy),
    ("flask", contrib_wsgi_behind_a_proxy),
    ("django_wsgi", contrib_wsgi_around),
    ("django_asgi", contrib_asgi),
    ("django_wsgi", contrib_django),
    ("django_asgi", contrib_django),
    ("aiohttp", contrib_aiohttp),
    ("aiohttp", contrib_aiohttp_listed),
]


@pytest.fixture(autouse=True)
def undone() -> Iterator[None]:
    """What a test instruments for the whole process is undone after it."""
    yield
    for instrumentor in (FastAPIInstrumentor(), DjangoInstrumentor()):
        if instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.uninstrument()


@pytest.mark.parametrize(("name", "carrying"), CARRIED)
def test_20_an_application_that_carries_telemetry_gives_one_span_and_one_count(
    setup: Setup, name: str, carrying: Callable[[Family], Any]
) -> None:
    family = BY_NAME[name]
    app = figwatch.instrument(carrying(family), service="cases", routes=TEMPLATES if name == "asgi" else None)
    serve_one(family, app, "/v2/items/1", setup.telemetry)
    (span,) = setup.server_spans()
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.name == "figwatch"
    assert setup.foreign_counts() == []


@pytest.mark.parametrize(("name", "carrying"), CARRIED)
def test_20_without_us_the_same_application_makes_a_span_of_its_own(
    setup: Setup, name: str, carrying: Callable[[Family], Any]
) -> None:
    """So that the test above can fail."""
    family = BY_NAME[name]
    with family.serve(carrying(family)) as port:
        assert ask(port, "/status/200").status == 200
    assert len(setup.server_spans()) >= 1


def later_aiohttp(app: Any) -> None:
    contrib_aiohttp(BY_NAME["aiohttp"])
    app.middlewares.append(create_aiohttp_middleware())


@pytest.mark.parametrize(
    ("name", "add"),
    [
        ("starlette", lambda app: app.add_middleware(ContribAsgi)),
        ("starlette", lambda app: app.add_middleware(StarlettesOwn)),
        ("fastapi", lambda app: app.add_middleware(ContribAsgi)),
        ("fastapi", FastAPIInstrumentor.instrument_app),
        ("aiohttp", later_aiohttp),
        ("django_wsgi", lambda _app: DjangoInstrumentor().instrument()),
    ],
)
def test_20_telemetry_that_is_added_after_us_gives_one_span_and_one_count_too(
    setup: Setup, name: str, add: Callable[[Any], None]
) -> None:
    app = figwatch.instrument(BY_NAME[name].make(), service="cases")
    add(app)
    serve_one(BY_NAME[name], app, "/v2/items/1", setup.telemetry)
    (span,) = setup.server_spans()
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.name == "figwatch"
    assert setup.foreign_counts() == []


@pytest.mark.parametrize("carrying", [contrib_all_flask_behind_a_proxy, contrib_wsgi_behind_a_proxy])
def test_20_what_else_stands_around_an_application_stays(setup: Setup, carrying: Callable[[Family], Any]) -> None:
    app = figwatch.instrument(carrying(BY_NAME["flask"]), service="cases")
    call_wsgi(app, "/items/1", headers=[("X-Forwarded-Prefix", "/shop")])
    (span,) = setup.server_spans()
    assert span.name == "GET /shop/items/{id}"


async def test_20_a_middleware_around_us_keeps_its_server_span_and_we_make_none(setup: Setup) -> None:
    app = ContribAsgi(instrumented(BY_NAME["asgi"]), exclude_spans=["send", "receive"])
    with recording_counts(setup.telemetry) as counted:
        await call_asgi(app, "/writes")
    assert counted() == 1
    (span,) = setup.server_spans()
    assert span.attributes is not None
    assert span.attributes["shop.basket"] == 3
    (child,) = [each for each in setup.spans() if each.name == "child"]
    assert child.parent is not None
    assert child.parent.span_id == span.context.span_id


# ---- row 21: a provider with its sampler, resource and processors ----------------------------------------------------


@each_family
def test_21_our_span_goes_to_the_providers_processors_with_its_resource_and_children(
    setup: Setup, family: Family
) -> None:
    serve_one(family, instrumented(family), "/writes", setup.telemetry, traceparent=SAMPLED)
    (span,) = setup.server_spans()
    (child,) = [each for each in setup.spans() if each.name == "child"]
    assert span.resource.attributes["service.name"] == "theirs"
    assert f"{span.context.trace_id:032x}" == TRACE
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == "b7ad6b7169203331"
    assert span.parent.is_remote
    assert child.parent is not None
    assert child.parent.span_id == span.context.span_id
    assert child.context.trace_id == span.context.trace_id


@each_family
def test_21_what_a_handler_sets_on_the_current_span_is_kept(setup: Setup, family: Family) -> None:
    serve_one(family, instrumented(family), "/writes", setup.telemetry)
    (span,) = setup.server_spans()
    assert span.attributes is not None
    assert span.attributes["shop.basket"] == 3
    assert span.attributes["shop.tags"] == ("a", "b")
    assert span.attributes["http.route"] == "/writes"
    assert [event.name for event in span.events] == ["paid", "exception"]
    assert span.name == "checkout"
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "out of stock")


SAMPLERS: list[tuple[str, Sampler, str | None, bool]] = [
    # what it is, the sampler, the caller's header, whether the request is recorded
    ("always_on", ALWAYS_ON, None, True),
    ("always_on over the caller", ALWAYS_ON, UNSAMPLED, True),
    ("always_off", ALWAYS_OFF, None, False),
    ("always_off over the caller", ALWAYS_OFF, SAMPLED, False),
    ("parent, none", ParentBased(ALWAYS_OFF), None, False),
    ("parent, recorded", ParentBased(ALWAYS_OFF), SAMPLED, True),
    ("parent, not recorded", ParentBased(ALWAYS_ON), UNSAMPLED, False),
    ("ratio of all", Ratio(1.0), UNSAMPLED, True),
    ("ratio of none", Ratio(0.0), SAMPLED, False),
    ("ratio, this id within", Ratio(0.9), UNSAMPLED, 0x8448EB211C80319C < 0.9 * 2**64),
    ("ratio, this id beyond", Ratio(0.5), SAMPLED, 0x8448EB211C80319C < 0.5 * 2**64),
    ("parent or ratio", ParentBased(Ratio(0.0)), SAMPLED, True),
    ("parent or ratio, no parent", ParentBased(Ratio(0.0)), None, False),
]


@pytest.mark.parametrize(
    ("sampler", "header", "is_recorded"), [row[1:] for row in SAMPLERS], ids=[row[0] for row in SAMPLERS]
)
async def test_21_the_providers_sampler_decides(
    monkeypatch: pytest.MonkeyPatch, sampler: Sampler, header: str | None, is_recorded: bool
) -> None:
    setup = begin(monkeypatch, sampler)
    await call_asgi(instrumented(BY_NAME["asgi"]), "/items/1", headers=[("traceparent", header)] if header else [])
    assert len(setup.server_spans()) == (1 if is_recorded else 0)


ENVIRONMENT = [
    ("always_on", "", UNSAMPLED, True),
    ("always_off", "", SAMPLED, False),
    ("traceidratio", "0", SAMPLED, False),
    ("traceidratio", "0.9", UNSAMPLED, True),
    ("traceidratio", "nonsense", UNSAMPLED, True),
    ("parentbased_always_on", "", UNSAMPLED, False),
    ("parentbased_always_off", "", SAMPLED, True),
    ("parentbased_always_off", "", None, False),
    ("parentbased_traceidratio", "0", None, False),
    ("parentbased_traceidratio", "0", SAMPLED, True),
    ("no_such_sampler", "", None, True),
    ("", "", None, True),
]


@pytest.mark.parametrize(("name", "argument", "header", "is_recorded"), ENVIRONMENT)
async def test_21_without_a_provider_the_environments_sampler_decides(
    monkeypatch: pytest.MonkeyPatch, name: str, argument: str, header: str | None, is_recorded: bool
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", name)
    if argument:
        monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", argument)
    telemetry = fresh_telemetry()
    monkeypatch.setattr("figwatch.telemetry._process", telemetry)
    app = instrumented(BY_NAME["asgi"])
    with recording(telemetry) as recorded:
        await call_asgi(app, "/items/1", headers=[("traceparent", header)] if header else [])
    recorded.assert_requests(1)
    assert len(recorded.spans) == (1 if is_recorded else 0)


class HealthChecksAside(Sampler):
    """A sampler of a team's own."""

    def should_sample(self, *asked: Any, **named: Any) -> SamplingResult:
        context, _trace_id, _name, kind, attributes = asked[:5]
        assert kind is SpanKind.SERVER
        parent = trace.get_current_span(context).get_span_context()
        if attributes["url.path"] == "/side":
            return SamplingResult(Decision.DROP)
        return SamplingResult(Decision.RECORD_AND_SAMPLE, {"sampled.by": "team", "had.parent": parent.is_valid})

    def get_description(self) -> str:
        return "HealthChecksAside"


async def test_21_a_sampler_of_a_teams_own_is_asked_with_path_and_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    setup = begin(monkeypatch, HealthChecksAside())
    app = instrumented(BY_NAME["asgi"])
    await call_asgi(app, "/side")
    await call_asgi(app, "/items/1", headers=[("traceparent", UNSAMPLED)])
    (span,) = setup.server_spans()
    assert span.attributes is not None
    assert (span.attributes["sampled.by"], span.attributes["had.parent"]) == ("team", True)


class Stamping(SpanProcessor):
    """A processor that takes part in the beginning of every span."""

    def on_start(self, span: Span, parent_context: Any = None) -> None:
        span.set_attribute("stamped", True)


async def test_21_a_processor_that_writes_at_the_start_writes_on_our_span(setup: Setup) -> None:
    setup.provider.add_span_processor(Stamping())
    await call_asgi(instrumented(BY_NAME["asgi"]), "/items/1")
    (span,) = setup.server_spans()
    assert span.attributes is not None
    assert span.attributes["stamped"] is True


async def test_21_a_provider_that_is_shut_down_sends_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    setup = begin(monkeypatch)
    batched = InMemorySpanExporter()
    setup.provider.add_span_processor(BatchSpanProcessor(batched))
    await call_asgi(instrumented(BY_NAME["asgi"]), "/items/1")
    setup.provider.shutdown()
    assert len(batched.get_finished_spans()) == 1


async def test_21_a_provider_that_is_set_later_is_followed_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("figwatch.telemetry._process", fresh_telemetry())
    app = instrumented(BY_NAME["asgi"])
    await call_asgi(app, "/items/1")
    setup = begin(monkeypatch)
    monkeypatch.undo()
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", setup.provider)
    await call_asgi(app, "/items/1")
    assert len(setup.server_spans()) == 1


async def test_21_a_providers_spans_stay_its_own_where_an_endpoint_is_configured_too(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = instrumented(BY_NAME["asgi"])
    await call_asgi(app, "/items/1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    instrumented(BY_NAME["starlette"])
    try:
        await call_asgi(app, "/items/2")
        assert len(setup.server_spans()) == 2
    finally:
        figwatch.shutdown(0.1)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # as a server with --preload
def test_21_in_a_forked_worker_the_providers_processors_get_its_spans(setup: Setup) -> None:
    app = instrumented(BY_NAME["flask"])
    call_wsgi(app, "/items/1")
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            call_wsgi(app, "/items/2")
            setup.exporter.clear()
            os.write(write, str(len(setup.server_spans())).encode())
        os._exit(0)
    os.close(write)
    with open(read, "rb") as told:
        assert told.read() == b"1"
    os.waitpid(child, 0)
    assert len(setup.server_spans()) == 1


async def test_21_where_the_sdk_is_disabled_nothing_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    setup = begin(monkeypatch)
    with recording_counts(setup.telemetry) as counted:
        await call_asgi(instrumented(BY_NAME["asgi"]), "/items/1")
    assert counted() == 1
    assert setup.spans() == []
