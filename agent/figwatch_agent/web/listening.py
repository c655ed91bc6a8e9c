"""The agent's own socket: so many connections, none of them idle for long, with TLS where a certificate is named.

A connection without a request under way is closed after a while, whether it is silent or sends its headers byte by
byte; aiohttp alone would wait for those for ever.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from figwatch_agent.errors import FigwatchError
from figwatch_agent.model.settings import Tls

MOST_CONNECTIONS: Final = 512
"""At one time: 300 open pages, and room for those who come and go. Each costs some 20 kB and one file descriptor."""

IDLE: Final = 20.0
"""Seconds that a connection may stand without a request under way."""

HANDSHAKE: Final = 10.0
"""Seconds in which TLS has to be agreed upon."""

LONGEST_LINE: Final = 8190
"""Bytes of a request's first line or of one header."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class TlsUnusable(FigwatchError):
    """The certificate or its key cannot be used; both are named under web.tls."""


def tls_context(tls: Tls | None) -> ssl.SSLContext | None:
    """TLS 1.2 or newer with the certificate as it stands in its file now. Raises TlsUnusable."""
    if tls is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(tls.certificate, tls.key, password=_no_password)
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        raise TlsUnusable(f"web.tls: {tls.certificate} with {tls.key}: {error}") from error
    return context


@asynccontextmanager
async def listening(
    app: web.Application,
    host: str,
    port: int,
    context: ssl.SSLContext | None,
    where: str,
    *,
    most: int = MOST_CONNECTIONS,
    idle: float = IDLE,
) -> AsyncIterator[str]:
    """Answer until the block ends; gives the URL. ``where`` says in which file the address stands.

    ``most`` connections at one time; one without a request under way is closed after ``idle`` seconds.
    """
    watch = Connections(most, idle)
    app.middlewares.insert(0, watch.busy)
    runner = web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=2.0,
        keepalive_timeout=idle,
        max_line_size=LONGEST_LINE,
        max_field_size=LONGEST_LINE,
    )
    await runner.setup()
    try:
        server = await _serve(runner, watch, host, port, context, where)
        try:
            async with watch.sweeping():
                bound = server.sockets[0].getsockname()
                name = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
                yield f"{'http' if context is None else 'https'}://{name}:{bound[1]}"
        finally:
            server.close()
    finally:
        await runner.cleanup()


async def _serve(
    runner: web.AppRunner, watch: "Connections", host: str, port: int, context: ssl.SSLContext | None, where: str
) -> asyncio.Server:
    inner = runner.server
    if inner is None:
        raise RuntimeError("the runner was not set up")
    handshake = None if context is None else HANDSHAKE
    try:
        return await asyncio.get_running_loop().create_server(
            lambda: watch.made(inner()),
            host,
            port,
            ssl=context,
            backlog=128,
            reuse_address=True,
            ssl_handshake_timeout=handshake,
        )
    except OSError as error:
        raise FigwatchError(f"cannot listen on {host}:{port} ({where}): {error}") from error


class Connections:
    """All that are open, and since when each stands idle."""

    def __init__(self, most: int, idle: float) -> None:
        self._most = most
        self._idle = idle
        self._open: dict[asyncio.BaseTransport, float | None] = {}  # since when idle; None while a request is under way

    def made(self, inner: asyncio.Protocol) -> asyncio.Protocol:
        """The protocol of a new connection."""
        return _Watched(inner, self)

    def admit(self, transport: asyncio.BaseTransport) -> bool:
        """Whether there is room for one more."""
        if len(self._open) >= self._most:
            return False
        self._open[transport] = asyncio.get_running_loop().time()
        return True

    def gone(self, transport: asyncio.BaseTransport) -> None:
        """It was closed."""
        self._open.pop(transport, None)

    @web.middleware
    async def busy(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """A request is under way; the one who waits for its answer is not idle."""
        transport = request.transport
        known = transport is not None and transport in self._open
        if transport is not None and known:
            self._open[transport] = None
        try:
            return await handler(request)
        finally:
            if transport is not None and transport in self._open:
                self._open[transport] = asyncio.get_running_loop().time()

    @asynccontextmanager
    async def sweeping(self) -> AsyncIterator[None]:
        """Close what is idle for too long, now and then."""
        task = asyncio.create_task(self._sweep(), name="connections")
        try:
            yield
        finally:
            task.cancel()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self._idle / 4)
            before = asyncio.get_running_loop().time() - self._idle
            for transport in [each for each, since in self._open.items() if since is not None and since < before]:
                self._end(transport)

    def _end(self, transport: asyncio.BaseTransport) -> None:
        self.gone(transport)
        if isinstance(transport, asyncio.Transport):
            transport.abort()  # close would wait for a reader who takes nothing
        else:
            transport.close()


class _Watched(asyncio.Protocol):
    """Passes everything on to aiohttp's protocol, but for a connection that is one too many."""

    def __init__(self, inner: asyncio.Protocol, watch: Connections) -> None:
        self._inner = inner
        self._watch = watch
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self._watch.admit(transport):
            transport.close()
            return
        self._transport = transport
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._transport is not None:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._transport is not None else None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._watch.gone(self._transport)
            self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()


def _no_password() -> str:
    """Asked for where the key is locked: an agent starts without anybody to type."""
    raise ValueError("the key is locked with a password; give the agent one that is not, readable for it alone")
