"""What every process of the demo does: bind a loopback port, say which one, and end when its parent ends."""

import json
import os
import signal
import socket
import stat
import sys
import threading
import time
from collections.abc import Awaitable
from typing import Final

from aiohttp import web

LOOPBACK: Final = "127.0.0.1"
BACKLOG: Final = 512
"""An open-loop sender never waits: connections pile up here while a part is busy."""
GRACE_SECONDS: Final = 2.0
"""Between the polite end and the certain one, once the parent is gone."""


def hold_leash() -> None:
    """End this process when its parent does, however the parent ended.

    The parent holds the other end of stdin; the kernel closes it with the parent's last breath. Where stdin is no pipe
    (a terminal, a file) somebody started this part by hand, and nothing is done.
    """
    mode = os.fstat(0).st_mode
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        threading.Thread(target=_end_with_parent, name="leash", daemon=True).start()


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)


def bind() -> socket.socket:
    """A listening socket on a free loopback port."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((LOOPBACK, 0))
    bound.listen(BACKLOG)
    return bound


def free_port() -> int:
    """A loopback port that was free just now, for a program that has to be told where to listen."""
    with bind() as bound:
        port: int = bound.getsockname()[1]
    return port


def announce(bound: socket.socket) -> None:
    """Tell the parent the port in one line of JSON; whatever is printed afterwards goes to the log."""
    sys.stdout.write(json.dumps({"port": bound.getsockname()[1]}) + "\n")
    sys.stdout.flush()
    os.dup2(2, 1)


def serve(app: web.Application | Awaitable[web.Application]) -> None:
    """Run an aiohttp application, or what makes one inside the loop, as a child of the demo until SIGTERM."""
    hold_leash()
    bound = bind()
    announce(bound)
    web.run_app(app, sock=bound, print=None, access_log=None, shutdown_timeout=0.5, backlog=BACKLOG)


def abort(request: web.Request) -> web.Response:
    """Break the connection off with a reset; the response that is returned reaches nobody."""
    transport = request.transport
    if transport is not None:
        wire = transport.get_extra_info("socket")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        transport.abort()
    return web.Response(status=500)


_LINGER_ZERO: Final = (1).to_bytes(4, sys.byteorder) + (0).to_bytes(4, sys.byteorder)
"""``struct linger {1, 0}``: closing sends RST instead of FIN."""
