"""The routes of the Django application that the library's tests instrument."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from importlib import import_module
from typing import Any

from support import stage

# Django has no types of its own; loading it by name keeps Any where it belongs.
_http, _urls = import_module("django.http"), import_module("django.urls")
_decorators = import_module("django.views.decorators.http")


def plain(_request: Any, **_parameters: Any) -> Any:
    """What a handler knows of its request."""
    return _http.HttpResponse(stage.told())


def status(_request: Any, code: int) -> Any:
    """The status that is asked for."""
    return _http.HttpResponse("x", status=code)


def raises(_request: Any) -> Any:
    """A handler that fails."""
    raise stage.Broken("boom")


def writes(_request: Any) -> Any:
    """A handler that writes on its span."""
    stage.write_on_the_span()
    return _http.HttpResponse("x")


def served_by(request: Any) -> Any:
    """What the request itself says of its side."""
    carrier = request.scope if hasattr(request, "scope") else request.environ
    return _http.HttpResponse(carrier["figwatch.served_by"])


def streaming(chunks: Callable[[], Iterator[bytes]]) -> Callable[[Any], Any]:
    """A view that streams, in the way of the server it runs under."""

    async def slowly() -> AsyncIterator[bytes]:
        for chunk in chunks():
            yield chunk
            await asyncio.sleep(0)

    def view(request: Any) -> Any:
        return _http.StreamingHttpResponse(slowly() if hasattr(request, "scope") else chunks())

    return view


def afterwards(_request: Any) -> Any:
    """Work that is done once the response is out."""
    response = _http.HttpResponse("x")
    response._resource_closers.append(stage.work_afterwards)
    return response


async def waits(_request: Any) -> Any:
    """A handler that ends only by cancellation."""
    await stage.wait()


def exits(_request: Any) -> Any:
    """What ends a worker."""
    raise SystemExit


def number(_request: Any, number: int) -> Any:
    """Answer with the number."""
    return _http.HttpResponse(str(number))


urlpatterns = [
    _urls.path("v1/", _urls.include([_urls.path("items/<int:number>/", number)])),
    _urls.path("items/<id>", _decorators.require_GET(plain)),
    _urls.path("v2/", _urls.include([_urls.path("items/<id>", plain)])),
    _urls.path(
        "tenants/<tenant>/", _urls.include([_urls.path("deep/", _urls.include([_urls.path("items/<id>", plain)]))])
    ),
    _urls.path("status/<int:code>", status),
    _urls.path("raises", raises),
    _urls.path("stream", streaming(stage.stream)),
    _urls.path("breaks", streaming(stage.breaking_stream)),
    _urls.path("endless", streaming(stage.endless_stream)),
    _urls.path("afterwards", afterwards),
    _urls.path("writes", writes),
    _urls.path("side", served_by),
    _urls.path("waits", waits),
    _urls.path("exits", exits),
]
