"""One line per service: tell what kind of application this is, and put the right adapter around it."""

import inspect
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar, cast
from urllib.parse import unquote

from figwatch.capture import Capture
from figwatch.errors import DefinitionError, UnknownApplicationError
from figwatch.exposition import Page
from figwatch.migration import SideRule
from figwatch.observation import Observer, Reader
from figwatch.routes import Routes
from figwatch.sampling import from_environment, never
from figwatch.telemetry import Telemetry, process

TRUST_TOKEN_VARIABLE: Final = "FIGWATCH_TRUST_TOKEN"  # noqa: S105 - the name of a variable
TRUST_NETWORKS_VARIABLE: Final = "FIGWATCH_TRUST_NETWORKS"
SERVICE_VARIABLE: Final = "OTEL_SERVICE_NAME"
ENDPOINT_VARIABLES: Final = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
)
UNKNOWN_SERVICE: Final = "unknown_service"
"""OpenTelemetry's word for a service that nobody named."""

App = TypeVar("App")
_logger = logging.getLogger("figwatch")
Build = Callable[[Reader], Observer[Any]]


def instrument(
    app: App,
    service: str | None = None,
    *,
    side: str = "service",
    vantage: str = "application",
    trust_token: str | None = None,
    trust_networks: Sequence[str] | None = None,
    routes: Sequence[str] | None = None,
    capture: Sequence[str] = (),
    metrics_path: str | None = "/metrics",
) -> App:
    """Count, time and trace every request of an ASGI, WSGI or aiohttp application, and serve its metrics page.

    Returns what to serve in place of `app`: the same object where the framework has a place for us (FastAPI, Starlette,
    Flask, aiohttp), else a callable around it. Doing it twice changes nothing.

    `service` names it in traces (default: OTEL_SERVICE_NAME). `side` is where it stands, service or legacy.
    `trust_token` is the secret it shares with its gateway (default: FIGWATCH_TRUST_TOKEN); migration headers beside it
    are believed; so are those from a peer in one of `trust_networks`, such as `("10.0.0.0/8",)` (default:
    FIGWATCH_TRUST_NETWORKS, separated by commas). `routes` are templates such as `/api/v1/chat/{id}` for applications
    whose framework has none; other paths count as `__unmatched__`. `capture` names what spans may carry of a request
    (`path`, `query.NAME`, `header.NAME`); nothing else of it is recorded. `metrics_path=None` turns the page off.

    Raises UnknownApplicationError, TooLateError, DefinitionError or RouteError; at request time nothing is raised.
    """
    telemetry = process()
    name = service or service_name(os.environ)
    rule = side_rule(side, trust_token, trust_networks, telemetry, os.environ)
    known = Routes(tuple(routes or ()), telemetry.health.folded)
    allowed = Capture(capture)
    if metrics_path is not None and not metrics_path.startswith("/"):
        raise DefinitionError(f"metrics_path {metrics_path!r} must start with a slash, or be None for no page")

    def build(reader: Reader) -> Observer[Any]:
        return Observer(
            telemetry, service=name, vantage=vantage, rule=rule, routes=known, reader=reader, capture=allowed
        )

    wrapped = _wrap(app, build, metrics_path, Page(telemetry))
    if telemetry.sampler is None:
        telemetry.sampler = never if is_disabled(os.environ) else from_environment(os.environ)
    start_export(telemetry, name, os.environ)
    return cast(App, wrapped)


def side_rule(
    side: str,
    trust_token: str | None,
    trust_networks: Sequence[str] | None,
    telemetry: Telemetry,
    environment: Mapping[str, str],
) -> SideRule:
    """Who is believed, by the arguments or else by the variables; raises DefinitionError."""
    token = trust_token if trust_token is not None else environment.get(TRUST_TOKEN_VARIABLE)
    networks = trust_networks if trust_networks is not None else environment.get(TRUST_NETWORKS_VARIABLE, "").split(",")
    return SideRule(side, token, telemetry.health, networks)


def is_disabled(environment: Mapping[str, str]) -> bool:
    """Whether OTEL_SDK_DISABLED switches off what is sent: spans and exports. /metrics stays."""
    return environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"


def service_name(environment: Mapping[str, str]) -> str:
    """The service's name by OpenTelemetry's variables."""
    named = environment.get(SERVICE_VARIABLE, "").strip()
    return named or resource_attributes(environment).get("service.name") or UNKNOWN_SERVICE


def resource_attributes(environment: Mapping[str, str]) -> dict[str, str]:
    """OTEL_RESOURCE_ATTRIBUTES as a dict; pairs that are none are left out."""
    pairs = (pair.partition("=") for pair in environment.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","))
    return {unquote(key.strip()): unquote(value.strip()) for key, equals, value in pairs if equals and key.strip()}


def start_export(telemetry: Telemetry, service: str, environment: Mapping[str, str]) -> None:
    """Start the drain thread, once, if an OTLP endpoint is configured and the SDK is not switched off."""
    if is_disabled(environment) or telemetry.exporting or not any(environment.get(name) for name in ENDPOINT_VARIABLES):
        return
    telemetry.exporting = True
    try:
        from figwatch.otlp import start  # needs the extra [otlp]: only for those who export
    except ImportError as missing:
        _logger.warning("nothing is exported over OTLP: %s; install figwatch[otlp]", missing)
        return
    start(telemetry, {**resource_attributes(environment), "service.name": service})


def shutdown(patience: float = 2.0) -> None:
    """Export what waits, within `patience` seconds in all, and stop exporting; counting goes on.

    A process that ends does this by itself; call it where yours ends without Python's exit handlers (`os._exit`).
    """
    stop = process().stop_export
    if stop is not None:
        stop(patience)


def _wrap(app: Any, build: Build, metrics_path: str | None, render: Page) -> Any:
    if _is_aiohttp(app):
        return _wrap_aiohttp(app, build, metrics_path, render)
    if hasattr(app, "wsgi_app") and hasattr(app, "url_map"):
        return _wrap_flask(app, build, metrics_path, render)
    if hasattr(app, "build_middleware_stack") and hasattr(app, "middleware_stack"):
        return _wrap_starlette(app, build, metrics_path, render)
    if is_asgi(app):
        return _wrap_asgi(app, build, metrics_path, render)
    if is_wsgi(app):
        return _wrap_wsgi(app, build, metrics_path, render)
    raise UnknownApplicationError(
        f"cannot instrument {app!r}: hand over an ASGI callable (scope, receive, send), "
        "a WSGI callable (environ, start_response) or an aiohttp Application"
    )


def is_asgi(app: object) -> bool:
    """An ASGI application of version 3: an async callable, or one that takes three arguments and not two."""
    if not callable(app) or inspect.isclass(app):
        return False
    plain = inspect.unwrap(app)
    if inspect.iscoroutinefunction(plain) or inspect.iscoroutinefunction(type(plain).__call__):
        return True
    return _takes(app, 3) and not _takes(app, 2)


def is_wsgi(app: object) -> bool:
    """A WSGI application: a callable that takes two arguments."""
    return not inspect.isclass(app) and _takes(app, 2)


def _takes(app: object, number: int) -> bool:
    if not callable(app):
        return False
    try:
        inspect.signature(app).bind(*range(number))
    except (TypeError, ValueError):
        return False
    return True


def _is_aiohttp(app: object) -> bool:
    return any(f"{kind.__module__}.{kind.__qualname__}" == "aiohttp.web_app.Application" for kind in type(app).__mro__)


def _wrap_aiohttp(app: Any, build: Build, metrics_path: str | None, render: Page) -> Any:
    from figwatch.server import aiohttp, aiohttp_root, others

    if aiohttp.is_instrumented(app):
        return app
    others.quiet_aiohttp(app)
    watch = aiohttp.install(app, build(aiohttp), metrics_path, render)
    app.on_startup.append(others.quiet_aiohttp_at_start)
    app.on_startup.append(partial(aiohttp_root.take_over, watch))
    return app


def _wrap_asgi(app: Any, build: Build, metrics_path: str | None, render: Page) -> Any:
    from figwatch.server import asgi, others, templates

    app = others.without_asgi(app)
    if isinstance(app, asgi.AsgiMiddleware):
        return app
    if templates.is_django(app):
        others.quiet_django(app)
        templates.hook_django(app)
    return asgi.AsgiMiddleware(app, build(asgi), metrics_path, render)


def _wrap_wsgi(app: Any, build: Build, metrics_path: str | None, render: Page) -> Any:
    from figwatch.server import others, templates, wsgi

    app = others.without_wsgi(app)
    if isinstance(app, wsgi.WsgiMiddleware):
        return app
    if templates.is_django(app):
        others.quiet_django(app)
        templates.hook_django(app)
    return wsgi.WsgiMiddleware(app, build(wsgi), metrics_path, render)


def _wrap_flask(app: Any, build: Build, metrics_path: str | None, render: Page) -> Any:
    from figwatch.server import others, templates, wsgi

    if not isinstance(getattr(app.wsgi_app, "__self__", None), wsgi.WsgiMiddleware):
        others.quiet_flask(app)
        templates.hook_flask(app)
        # A method is called for a good deal less than an object that has `__call__`.
        app.wsgi_app = _wrap_wsgi(app.wsgi_app, build, metrics_path, render).__call__
    return app


def _wrap_starlette(app: Any, build: Build, metrics_path: str | None, render: Page) -> Any:
    """Outside of Starlette's own stack, so that its 500 page is seen and carries the trace id."""
    from figwatch.server import others

    build_stack = app.build_middleware_stack
    if getattr(build_stack, "figwatch", False):
        return app
    others.quiet_fastapi(app)

    def instrumented_stack() -> Any:
        return _wrap_asgi(build_stack(), build, metrics_path, render)

    instrumented_stack.figwatch = True  # type: ignore[attr-defined]  # the mark that makes a second call do nothing
    app.build_middleware_stack = instrumented_stack
    if app.middleware_stack is not None:
        app.middleware_stack = _wrap_asgi(app.middleware_stack, build, metrics_path, render)
    return app
