"""An outage for ASGI: uvicorn's connections are broken off before the application sees a request."""

import uvicorn

from figwatch.server.asgi import Application, Receive, Scope, Send
from figwatch_agent.demo.fault import FaultSwitch


class Outage:
    """Outermost layer of an ASGI application served by uvicorn."""

    def __init__(self, app: Application, switch: FaultSwitch) -> None:
        self._app = app
        self._switch = switch
        self.server: uvicorn.Server | None = None  # known only once the server has been built around this layer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._switch.breaks(scope["path"]):
            await self._app(scope, receive, send)
            return
        self._break_off(scope["client"])
        while (await receive())["type"] != "http.disconnect":
            pass

    def _break_off(self, client: tuple[str, int]) -> None:
        if self.server is None:
            return
        for connection in list(self.server.server_state.connections):
            if getattr(connection, "client", None) == client:
                connection.transport.abort()
