"""One FastAPI application, as several benches serve it; ``uvicorn bench.plain_fastapi:app``, or ``:watched``."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from bench import traffic


def application() -> FastAPI:
    """A new one with one route."""
    app = FastAPI()

    @app.get(traffic.TEMPLATE)
    async def chat(id: int) -> dict[str, int]:
        return {"answer": id}

    return app


def __getattr__(name: str) -> Any:
    """`app` and `watched`, made when a server asks for them."""
    if name == "app":
        return application()
    if name == "watched":
        import figwatch

        return figwatch.instrument(application(), "chat")
    raise AttributeError(name)
