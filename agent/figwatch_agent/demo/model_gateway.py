"""The model gateway service: a WSGI application on waitress."""

import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Final

import waitress
from waitress.channel import ClientDisconnected

import figwatch
from figwatch_agent.demo import child, fault, routes
from figwatch_agent.demo.work import Work

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

THREADS: Final = 64
"""A slow answer holds a thread for half a second: enough for 120 of them a second."""
CONNECTIONS: Final = 1000

INFERENCE = figwatch.histogram("inference_duration_ms", "Time a model took to answer.", unit="ms", labels=("model",))


class ModelGateway:
    """The application: what a team would write without figwatch."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == fault.PATH:
            answer = self._work.order(environ.get("HTTP_AUTHORIZATION"), environ["wsgi.input"].read())
        else:
            seconds, answer = self._work.begin(path)
            time.sleep(seconds)
            if path.endswith("/generate"):
                INFERENCE.observe(seconds * 1000, model=path.split("/")[-2])
        status = f"{answer.status} {HTTPStatus(answer.status).phrase}"
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(answer.body)))])
        return [answer.body]


def _with_outage(app: Application, switch: fault.FaultSwitch) -> Application:
    def broken_off(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if switch.breaks(environ["PATH_INFO"]):
            raise ClientDisconnected  # waitress closes the connection without a word
        return app(environ, start_response)

    return broken_off


def _main() -> None:
    work = Work("model_gateway", routes_of="model_gateway")
    templates = routes.templates("model_gateway")
    app = figwatch.instrument(ModelGateway(work), service="model-gateway", routes=templates)
    child.hold_leash()
    bound = child.bind()
    child.announce(bound)
    waitress.serve(
        _with_outage(app, work.switch), sockets=[bound], threads=THREADS, connection_limit=CONNECTIONS, _quiet=True
    )


if __name__ == "__main__":
    _main()
