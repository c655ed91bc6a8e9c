"""How every answer looks: JSON, never cached, never sniffed, and errors as a list that names all problems."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from figwatch_agent.errors import StoreError

HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers would not say where a form stood either
    "Server": "figwatch",
    "X-Content-Type-Options": "nosniff",
}
"""On every answer. The content policy keeps a label that holds markup from ever running."""

HANDLERS_OWN: Final = ("Cache-Control", "Cross-Origin-Resource-Policy")
"""What a handler may say otherwise: files that are named by their content are kept, badges stand on other sites."""

LONGEST_TLS: Final = "max-age=31536000"
"""A year; subdomains are not ours to speak for."""

BODY_LIMIT: Final = 64 * 1024
"""Bytes of a request's body; a command is a few hundred."""

_log = structlog.get_logger(__name__)


def json_answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """``body`` as JSON. NaN and Inf are refused, not written."""
    text = json.dumps(body, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return web.Response(text=text + "\n", status=status, content_type="application/json", headers=headers)


def errors(status: int, problems: Iterable[str], headers: Mapping[str, str] | None = None) -> web.Response:
    """All problems of a request."""
    return json_answer({"errors": list(problems)}, status, headers)


def not_yet() -> web.Response:
    """Nothing was seen yet."""
    return errors(503, ["the first tick is not finished yet; ask again in a moment"], {"Retry-After": "1"})


@web.middleware
async def only_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever goes wrong is answered in JSON; an unexpected error is logged once and shown to nobody."""
    try:
        return await handler(request)
    except web.HTTPRequestEntityTooLarge:
        return errors(413, [f"the body is larger than {BODY_LIMIT // 1024} KiB; a command is a few hundred bytes"])
    except web.HTTPException as error:
        allowed = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
        return errors(error.status, [f"{error.status} {error.reason}: {request.method} {request.path}"], allowed)
    except StoreError as error:
        return errors(503, [f"the state cannot be read or written now: {error}"], {"Retry-After": "5"})
    except Exception:  # noqa: BLE001 (the edge of a request: one bad answer must not become two)
        _log.exception("request failed", method=request.method, path=request.path)
        return errors(500, ["figwatch failed to answer this; its log says why"])


def headers_of(*, secure: bool) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """A signal of aiohttp, so that answers of its own carry the headers as well. ``secure``: people come by HTTPS."""
    always = {**HEADERS, "Strict-Transport-Security": LONGEST_TLS} if secure else HEADERS

    async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
        given = response.headers
        own = {name: given[name] for name in HANDLERS_OWN if name in given}
        given.update(always)
        given.update(own)

    return add_headers
