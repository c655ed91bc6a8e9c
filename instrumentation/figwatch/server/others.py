"""Telemetry that an application carries already: set aside, so that a request is one server span and one count.

Known are OpenTelemetry's contrib instrumentations, Starlette's middleware and FastAPI's own telemetry. Spans that are
not of the server (clients, databases, a handler's own) stay as they are and become children of ours. None of these
packages is imported here: what an application does not carry costs nothing.
"""

import inspect
import os
import sys
from collections.abc import Iterator
from typing import Any, Final

_ASGI: Final = frozenset(
    {
        ("opentelemetry.instrumentation.asgi", "OpenTelemetryMiddleware"),
        ("starlette.middleware.opentelemetry", "OpenTelemetryMiddleware"),
    }
)
_WSGI: Final = ("opentelemetry.instrumentation.wsgi", "OpenTelemetryMiddleware")
_OURS: Final = ("figwatch.server.wsgi", "WsgiMiddleware")
_AIOHTTP: Final = "opentelemetry.instrumentation.aiohttp_server"
_DJANGO: Final = "opentelemetry.instrumentation.django"
_FLASK: Final = "opentelemetry.instrumentation.flask"
_WSGI_NAMES: Final = ("wsgi_app", "app", "application", "wsgi")
"""Where applications and middlewares of WSGI keep what they stand around; contrib's own is the last."""
_LOGGER_PROVIDER_VARIABLE: Final = "OTEL_PYTHON_LOGGER_PROVIDER"
_DEPTH: Final = 100  # middlewares around one another; a ring of them ends here


def without_asgi(app: Any) -> Any:
    """An ASGI application without the middlewares that would measure it again, wherever they stand around it."""
    while _names(app) in _ASGI:
        app = app.app
    for around, name in _around(app, ("app",)):
        while _names(inner := getattr(around, name)) in _ASGI:
            setattr(around, name, inner.app)
    return app


def without_wsgi(app: Any) -> Any:
    """A WSGI application without contrib's middleware, wherever it stands around it."""
    while _names(app) == _WSGI:
        app = app.wsgi
    for around, name in _around(app, _WSGI_NAMES):
        while _names(inner := getattr(around, name)) == _WSGI:
            setattr(around, name, inner.wsgi)
    return app


def _around(app: Any, names: tuple[str, ...]) -> Iterator[tuple[Any, str]]:
    """Each middleware from the outside in, and the attribute in which it keeps the next one."""
    for _ in range(_DEPTH):
        name = next((each for each in names if callable(getattr(app, each, None))), None)
        if name is None:
            return
        yield app, name
        app = getattr(app, name)
        middleware = getattr(app, "__self__", None)
        if _names(middleware) == _OURS:  # of which Flask has the method
            app = middleware


def quiet_fastapi(app: Any) -> None:
    """FastAPI traces and counts by itself once a global provider exists. Its logs of exceptions stay."""
    settings = getattr(app, "_telemetry", None)
    if isinstance(settings, dict):
        settings.update({name: False for name in ("tracing", "metrics") if name in settings})
        _quiet_logs(getattr(app, "_native_telemetry", None), settings)


def _quiet_logs(telemetry: Any, settings: dict[str, Any]) -> None:
    """Let it ask whether it is wanted for logs, which is all that is left, in one step while nobody collects any."""
    logs: Any = sys.modules.get("opentelemetry._logs._internal")
    enabled = getattr(telemetry, "enabled", None)
    named = settings.get("logger_provider") is not None or _LOGGER_PROVIDER_VARIABLE in os.environ
    if named or not callable(enabled) or not hasattr(logs, "_LOGGER_PROVIDER"):
        return
    telemetry.enabled = lambda: logs._LOGGER_PROVIDER is not None and enabled()


def quiet_flask(app: Any) -> None:
    """Undo contrib's instrumentation of this application, whether it was for this one or for all of the process.

    Contrib's own way knows only the former, and would drop what was put around the application since.
    """
    if not getattr(app, "_is_instrumented_by_opentelemetry", False):
        return
    for around, name in _around(app, _WSGI_NAMES):
        if _is_from(_FLASK, getattr(around, name)):
            setattr(around, name, app._original_wsgi_app)
            break
    for functions in (app.before_request_funcs, app.teardown_request_funcs):
        functions[None] = [each for each in functions.get(None, ()) if not _is_from(_FLASK, each)]
    del app._original_wsgi_app
    app._is_instrumented_by_opentelemetry = False


def quiet_django(handler: Any) -> None:
    """Undo contrib's instrumentation of this process's Django, by contrib's own way, and load the middlewares again."""
    module = sys.modules.get(_DJANGO)
    if module is not None and module.DjangoInstrumentor().is_instrumented_by_opentelemetry:
        module.DjangoInstrumentor().uninstrument()
        handler.load_middleware(is_async=inspect.iscoroutinefunction(type(handler).__call__))


def quiet_aiohttp(app: Any) -> None:
    """Take contrib's middleware out of an application that does not run yet, and out of those below it."""
    if not app.middlewares.frozen:
        for middleware in [each for each in app.middlewares if _is_contribs(each)]:
            app.middlewares.remove(middleware)
    # An application below another is frozen already, and has its handlers in a tuple of pairs.
    prepared = getattr(app, "_middlewares_handlers", None) or ()
    if any(_is_contribs(each[0]) for each in prepared):
        app._middlewares_handlers = tuple(each for each in prepared if not _is_contribs(each[0]))
    for resource in app.router.resources():
        below = resource.get_info().get("app")
        if below is not None:
            quiet_aiohttp(below)


async def quiet_aiohttp_at_start(app: Any) -> None:
    """The same for what was added since, once the application starts."""
    quiet_aiohttp(app)


def _is_contribs(middleware: Any) -> bool:
    return _is_from(_AIOHTTP, middleware)


def _is_from(module: str, thing: Any) -> bool:
    return getattr(thing, "__module__", "") == module


def _names(app: Any) -> tuple[str, str]:
    return type(app).__module__, type(app).__qualname__
