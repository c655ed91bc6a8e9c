"""What every application of the demo does with a request, whatever its framework."""

import json
import os
from dataclasses import dataclass
from random import Random
from typing import Final

from figwatch_agent.demo.fault import FaultRefused, FaultSwitch

TOKEN_VARIABLE: Final = "FIGWATCH_DEMO_TOKEN"  # noqa: S105 - the name of a variable, not a secret
MIGRATION_TOKEN_VARIABLE: Final = "FIGWATCH_DEMO_MIGRATION_TOKEN"  # noqa: S105 - the name of a variable, not a secret
OK: Final = b'{"ok": true}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status and JSON body of a response."""

    status: int
    body: bytes


class Work:
    """The pretended work of one application, and its fault switch."""

    def __init__(self, service: str) -> None:
        self.service = service
        # The service's name is the seed: every part has latencies of its own, the same in every run.
        random = Random(service)  # noqa: S311 - pretended latencies, no secrets
        self.switch = FaultSwitch(token=secret(TOKEN_VARIABLE), random=random)

    def order(self, authorization: str | None, body: bytes) -> Answer:
        """Carry out an order to the fault switch."""
        try:
            return _answer(200, self.switch.order(authorization, body))
        except FaultRefused as refused:
            return _answer(refused.status, {"error": str(refused)})

    def begin(self, route: str) -> tuple[float, Answer]:
        """Seconds to work on a request, and what to answer afterwards."""
        treatment = self.switch.treat()
        if treatment.fails:
            return treatment.seconds, _answer(500, {"error": "a fault was switched on", "service": self.service})
        return treatment.seconds, _answer(200, {"route": route, "answered_by": self.service})


def secret(variable: str) -> str:
    """A token that the box hands over by environment. Raises SystemExit naming the variable."""
    value = os.environ.get(variable, "")
    if not value:
        raise SystemExit(f"{variable} is not set: the demo's box sets it for every part it starts")
    return value


def not_found(path: str) -> Answer:
    """The answer to a path that no route matches."""
    return _answer(404, {"error": f"no route for {path}"})


def _answer(status: int, document: dict[str, object]) -> Answer:
    return Answer(status=status, body=json.dumps(document).encode())
