"""What every application of the demo does with a request, whatever its framework."""

import json
from dataclasses import dataclass
from random import Random
from typing import Final

from figwatch.routes import RouteTree
from figwatch_agent.demo import routes, tokens
from figwatch_agent.demo.fault import HEALTH_PATH, FaultRefused, FaultSwitch

OK: Final = b'{"ok": true}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status and JSON body of a response."""

    status: int
    body: bytes


class Work:
    """The pretended work of one application, and its fault switch."""

    def __init__(self, service: str, *, routes_of: str | None) -> None:
        """``routes_of`` names the service whose routes it serves; None serves them all, as the monolith does."""
        self.service = service
        self._routes = RouteTree((template, template) for template in routes.templates(routes_of))
        # The service's name is the seed: every part has latencies of its own, the same in every run.
        random = Random(service)  # noqa: S311 - pretended latencies, no secrets
        self.switch = FaultSwitch(token=tokens.secret(tokens.FAULT), random=random)

    def order(self, authorization: str | None, body: bytes) -> Answer:
        """Carry out an order to the fault switch."""
        try:
            return _answer(200, self.switch.order(authorization, body))
        except FaultRefused as refused:
            return _answer(refused.status, {"error": str(refused)})

    def begin(self, path: str) -> tuple[float, Answer]:
        """Seconds to work on a request, and what to answer afterwards."""
        if path == HEALTH_PATH:
            return 0.0, Answer(status=200, body=OK)
        route = self._routes.find(path)
        if route is None:
            return 0.0, _answer(404, {"error": f"{self.service} serves no {path}"})
        treatment = self.switch.treat(path)
        if treatment.fails:
            return treatment.seconds, _answer(500, {"error": "a fault was switched on", "service": self.service})
        return treatment.seconds, _answer(200, {"route": route, "answered_by": self.service})


def _answer(status: int, document: dict[str, object]) -> Answer:
    return Answer(status=status, body=json.dumps(document).encode())
