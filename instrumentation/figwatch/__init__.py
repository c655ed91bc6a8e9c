"""figwatch: one line that measures a service during a strangler-fig migration.

    import figwatch

    app = figwatch.instrument(app, service="chat")

Names are resolved when first used, so that `figwatch.contract` may be imported for free.
"""

from typing import TYPE_CHECKING, Final

from figwatch.contract import __version__

if TYPE_CHECKING:
    from figwatch import edge, testing
    from figwatch.business import counter, histogram
    from figwatch.exposition import metrics_app
    from figwatch.launch import instrument, shutdown
    from figwatch.messages import message
    from figwatch.observation import CurrentRequest, current_request
    from figwatch.tracing import outgoing, trace_id

__all__ = [
    "CurrentRequest",
    "__version__",
    "counter",
    "current_request",
    "edge",
    "histogram",
    "instrument",
    "message",
    "metrics_app",
    "outgoing",
    "shutdown",
    "testing",
    "trace_id",
]

_HOMES: Final = {
    "CurrentRequest": "observation",
    "counter": "business",
    "current_request": "observation",
    "histogram": "business",
    "instrument": "launch",
    "message": "messages",
    "metrics_app": "exposition",
    "outgoing": "tracing",
    "shutdown": "launch",
    "trace_id": "tracing",
}
_MODULES: Final = ("edge", "testing")
"""Public modules, so that `figwatch.edge.install` needs no import of its own."""


def __getattr__(name: str) -> object:
    """Import the module a public name lives in, once."""
    if name not in __all__:
        raise AttributeError(f"module 'figwatch' has no attribute {name!r}")
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"figwatch.{name}")
    value: object = getattr(import_module(f"figwatch.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
