"""One FastAPI application for several benches; ``python -m bench.plain_fastapi ours`` serves it with uvicorn."""

from __future__ import annotations

import socket
import sys

from fastapi import FastAPI

from bench import traffic


def application() -> FastAPI:
    """A new one with one route."""
    app = FastAPI()

    @app.get(traffic.TEMPLATE)
    async def chat(id: int) -> dict[str, int]:
        return {"answer": id}

    return app


def serve(kind: str) -> None:
    """Serve with uvicorn on a free port, and say on which."""
    import uvicorn

    app = application()
    if kind == "ours":
        import figwatch

        figwatch.instrument(app, "chat")
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it, answers wait for acknowledgements.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        print(listener.getsockname()[1], flush=True)
        uvicorn.Server(uvicorn.Config(app, access_log=False, log_level="error")).run(sockets=[listener])


if __name__ == "__main__":
    serve(sys.argv[1])
