"""The switch that makes a part of the demo fail: a share of errors, slow answers, or no answer at all.

``POST /demo/fault {"kind": "errors" | "latency" | "outage" | "none", "ratio": 0.5, "route": "/api/v1/chat"}`` with the
demo's bearer token. Without a route the whole process is hit, and an outage then breaks off every connection but those
of the switch itself, health and metrics included.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from random import Random
from typing import Final

from figwatch.routes import RouteTree
from figwatch_agent.demo.routes import templates
from figwatch_agent.demo.tokens import is_bearer

PATH: Final = "/demo/fault"
HEALTH_PATH: Final = "/healthz"
NORMAL_SECONDS: Final = (0.020, 0.060)
SLOW_SECONDS: Final = (0.400, 0.600)
"""Above the 200 ms of the latency promise whatever the machine does."""

_ROUTES: Final = RouteTree((template, template) for template in templates())


class Kind(StrEnum):
    """What goes wrong."""

    NONE = "none"  # nothing
    ERRORS = "errors"  # the share answers 500
    LATENCY = "latency"  # the share answers late
    OUTAGE = "outage"  # every connection is broken off


class FaultRefused(Exception):
    """An order to the switch that cannot be carried out; ``status`` is the HTTP status that says so."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault and the share of requests it hits."""

    kind: Kind = Kind.NONE
    ratio: Fraction = Fraction(1)  # share of requests that errors and latency hit
    route: str | None = None  # template; None hits the whole process

    def as_json(self) -> dict[str, object]:
        """The fault as the switch answers it."""
        return {"kind": self.kind, "ratio": float(self.ratio), "route": self.route}

    def concerns(self, path: str) -> bool:
        """Whether a request for this path may be hit."""
        return self.kind is not Kind.NONE and (self.route is None or _ROUTES.find(path) == self.route)


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """How one request is to be treated."""

    seconds: float  # how long to work on it
    fails: bool  # whether to answer 500


class FaultSwitch:
    """The fault of one process; its randomness is seeded, so that a run can be repeated."""

    def __init__(self, *, token: str, random: Random) -> None:
        self._token = token
        self._random = random
        self._fault = Fault()

    def breaks(self, path: str) -> bool:
        """Whether the connection of a request for this path is to be broken off."""
        return self._fault.kind is Kind.OUTAGE and path != PATH and self._fault.concerns(path)

    def order(self, authorization: str | None, body: bytes) -> dict[str, object]:
        """Set the fault that the body describes and return it. Raises FaultRefused (400, 401)."""
        if not is_bearer(authorization, self._token):
            raise FaultRefused(401, "the fault switch needs the demo's token: Authorization: Bearer ...")
        self._fault = _fault(body)
        return self._fault.as_json()

    def treat(self, path: str) -> Treatment:
        """Draw how to treat the next request for this path."""
        fault = self._fault
        hit = fault.concerns(path) and self._random.random() < fault.ratio
        span = SLOW_SECONDS if hit and fault.kind is Kind.LATENCY else NORMAL_SECONDS
        return Treatment(seconds=self._random.uniform(*span), fails=hit and fault.kind is Kind.ERRORS)


def _fault(body: bytes) -> Fault:
    try:
        document = json.loads(body)
        kind, ratio, route = Kind(document["kind"]), Fraction(str(document.get("ratio", 1))), document.get("route")
    except (ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError) as wrong:
        message = f'expected {{"kind": one of {", ".join(Kind)}, "ratio": 0 to 1}}'
        raise FaultRefused(400, message) from wrong
    if not 0 <= ratio <= 1:
        raise FaultRefused(400, f"ratio must be from 0 to 1, not {ratio}")
    if route is not None and route not in templates():
        raise FaultRefused(400, f"route must be one of {', '.join(templates())}, not {route!r}")
    return Fault(kind=kind, ratio=ratio, route=route)
