"""What the library raises, at set-up only.

    FigwatchError
    ├── UnknownApplicationError   instrument() was handed something it cannot wrap
    ├── TooLateError              the application is already running
    ├── DefinitionError           a metric, a side or a setting that cannot be
    ├── ConflictError             a name that is already declared otherwise
    └── RouteError                a route template or its share that cannot be
        ├── UnknownRouteError     no such template in the table
        └── RevisionConflictError somebody changed the route meanwhile

At request time nothing of this is raised: a fault inside the instrumentation leaves the request alone and is counted in
``figwatch_internal_errors_total``.
"""


class FigwatchError(Exception):
    """Base of everything the library raises."""


class UnknownApplicationError(FigwatchError, TypeError):
    """The object is no ASGI or WSGI callable and no aiohttp application."""


class TooLateError(FigwatchError, RuntimeError):
    """The application has started; instrument it before its server does."""


class DefinitionError(FigwatchError, ValueError):
    """A name, label, bucket, side or setting that cannot be exposed."""


class ConflictError(FigwatchError, ValueError):
    """The name is declared already, with another kind, help, unit, labels or buckets."""


class RouteError(FigwatchError, ValueError):
    """A route template or a service share that cannot be."""


class UnknownRouteError(RouteError, KeyError):
    """The table has no rule with this template."""

    def __str__(self) -> str:
        """The message itself: KeyError would print it quoted."""
        return str(self.args[0]) if self.args else ""


class RevisionConflictError(RouteError):
    """The route was changed since it was read; read it again before deciding."""
