"""Bodies of WSGI applications: one that is all there ends its request at once, one made while it is sent later."""

from collections.abc import Iterable, Iterator
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from flask import Flask, Response, send_file
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.wsgi import ClosingIterator

import figwatch
from figwatch.server.templates import is_complete
from figwatch.testing import recording

COMPLETE = ["/json", "/text", "/parts", "/nothing"]
MADE_LATER = ["/stream", "/file"]


def application() -> Flask:
    app = Flask(__name__)
    closed: list[str] = []
    app.extensions["closed"] = closed

    @app.get("/json")
    def json() -> dict[str, int]:
        return {"answer": 42}

    @app.get("/text")
    def text() -> Response:
        response = Response("text")
        response.call_on_close(lambda: closed.append("text"))
        return response

    @app.get("/parts")
    def parts() -> Response:
        return Response(["one", "two"])

    @app.get("/nothing")
    def nothing() -> tuple[str, int]:
        return "", 204

    @app.get("/stream")
    def stream() -> Response:
        return Response(iter(["one", "two"]))

    @app.get("/file")
    def file() -> Response:
        return send_file(__file__, mimetype="text/plain")

    return app


def serve(app: Any, path: str) -> Iterable[bytes]:
    environ: dict[str, Any] = {"PATH_INFO": path}
    setup_testing_defaults(environ)

    def start_response(_status: str, _headers: list[tuple[str, str]], _error: Any = None, /) -> Any:
        return None

    answer: Iterable[bytes] = app(environ, start_response)
    return answer


def all_of(body: Any) -> bytes:
    """What a server reads, and closes."""
    found = b"".join(body)
    getattr(body, "close", list)()
    return found


@pytest.mark.parametrize("path", COMPLETE)
def test_flasks_complete_body_is_handed_on_as_it_is_and_ends_the_request(path: str) -> None:
    app = figwatch.instrument(application())
    with recording() as recorded:
        body = serve(app, path)
        recorded.assert_requests(1, http_route=path, error_type="")
        assert isinstance(body, ClosingIterator | tuple)
        assert all_of(body) == all_of(serve(application(), path))
        recorded.assert_requests(1)
    assert app.extensions["closed"] == (["text"] if path == "/text" else [])


@pytest.mark.parametrize("path", MADE_LATER)
def test_flasks_body_that_is_made_while_it_is_sent_ends_the_request_with_its_last_byte(path: str) -> None:
    app = figwatch.instrument(application())
    with recording() as recorded:
        body = serve(app, path)
        recorded.assert_requests(0)
        assert all_of(body) == all_of(serve(application(), path))
        recorded.assert_requests(1, http_route=path, error_type="")


def test_a_mounted_flask_application_is_known_by_its_mount_too() -> None:
    app = figwatch.instrument(application())
    with recording() as recorded:
        for _ in range(2):  # the second one finds the route already
            serve(DispatcherMiddleware(Flask("root"), {"/shop": app}), "/shop/json")
        recorded.assert_requests(2, http_route="/shop/json")


class Odd:
    """Keeps what werkzeug's iterator keeps, and means something else by it."""

    def __init__(self, callbacks: Any) -> None:
        self._callbacks = callbacks

    def __iter__(self) -> Iterator[bytes]:
        return iter([b"odd"])


class Streaming:
    def __init__(self, streaming: object) -> None:
        self.streaming = streaming


@pytest.mark.parametrize("callbacks", [None, [], [print], [Odd(None).__iter__], 3, {}])
def test_what_is_not_known_to_be_complete_is_not_taken_for_it(callbacks: Any) -> None:
    assert not is_complete(Odd(callbacks))
    assert not is_complete(ClosingIterator(iter([b"one"]), lambda: None))


def test_djangos_responses_say_it_themselves() -> None:
    assert is_complete(Streaming(False))
    assert not is_complete(Streaming(True))
    assert not is_complete(Streaming(None))


class Raises:
    @property
    def _callbacks(self) -> object:
        raise ValueError("not today")

    def __iter__(self) -> Iterator[bytes]:
        return iter([b"odd"])


def test_a_body_that_cannot_be_looked_at_is_served_all_the_same() -> None:
    def app(_environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Raises()

    with recording() as recorded:
        assert all_of(serve(figwatch.instrument(app), "/")) == b"odd"
        recorded.assert_requests(1, http_response_status_code="200")
        assert recorded.faults() == 1
