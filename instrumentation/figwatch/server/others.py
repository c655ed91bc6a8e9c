"""Telemetry that an application carries already: set aside, so that a request is one server span and one count.

Known are OpenTelemetry's contrib instrumentations, Starlette's middleware and FastAPI's own telemetry. Spans that are
not of the server (clients, databases, a handler's own) stay as they are and become children of ours. None of these
packages is imported here: what an application does not carry costs nothing.
"""

import inspect
import sys
from typing import Any, Final

_ASGI: Final = frozenset(
    {
        ("opentelemetry.instrumentation.asgi", "OpenTelemetryMiddleware"),
        ("starlette.middleware.opentelemetry", "OpenTelemetryMiddleware"),
    }
)
_WSGI: Final = ("opentelemetry.instrumentation.wsgi", "OpenTelemetryMiddleware")
_AIOHTTP: Final = "opentelemetry.instrumentation.aiohttp_server"
_DJANGO: Final = "opentelemetry.instrumentation.django"
_FLASK: Final = "opentelemetry.instrumentation.flask"
_DEPTH: Final = 100  # middlewares around one another; a ring of them ends here


def without_asgi(app: Any) -> Any:
    """An ASGI application without the middlewares that would measure it again, wherever they stand around it."""
    while _names(app) in _ASGI:
        app = app.app
    around = app
    for _ in range(_DEPTH):
        inner = getattr(around, "app", None)
        if inner is None:
            break
        while _names(inner) in _ASGI:
            inner = around.app = inner.app
        around = inner
    return app


def without_wsgi(app: Any) -> Any:
    """A WSGI application without contrib's middleware around it."""
    while _names(app) == _WSGI:
        app = app.wsgi
    return app


def quiet_fastapi(app: Any) -> None:
    """FastAPI traces and counts by itself once a global provider exists. Its logs of exceptions stay."""
    settings = getattr(app, "_telemetry", None)
    if isinstance(settings, dict):
        settings.update({name: False for name in ("tracing", "metrics") if name in settings})


def quiet_flask(app: Any) -> None:
    """Undo contrib's instrumentation of this application, by contrib's own way."""
    module = sys.modules.get(_FLASK)
    if module is not None and hasattr(app, "_original_wsgi_app"):
        module.FlaskInstrumentor.uninstrument_app(app)


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


def _is_contribs(middleware: Any) -> bool:
    return getattr(middleware, "__module__", "") == _AIOHTTP


def _names(app: Any) -> tuple[str, str]:
    return type(app).__module__, type(app).__qualname__
