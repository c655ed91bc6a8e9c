"""The routes of the reference migration: who serves them, how much of each has moved, how a client calls them."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

OTHERS_RATE: Final = Fraction(5)
"""Requests a second on each route that the story is not about."""
FAULTED_SHARE: Final = 80
"""Percent of the faulted route that the service side serves; the rest stays with legacy and is its control."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One row of the route table."""

    template: str
    method: str
    service: str  # which of SERVICES serves the share that has moved
    service_share: int  # 0 to 100, where the story is about another route

    def path(self, number: int) -> str:
        """A path that a client might send, the n-th of an endless series."""
        return self.template.format(id=number % 500, model=MODELS[number % len(MODELS)])


MODELS: Final = ("small", "large")

ROUTES: Final = (
    Route(template="/api/v1/chat", method="POST", service="chat", service_share=80),
    Route(template="/api/v1/chat/{id}", method="GET", service="chat", service_share=80),
    Route(template="/api/v1/models", method="GET", service="model_gateway", service_share=100),
    Route(template="/api/v1/models/{model}/generate", method="POST", service="model_gateway", service_share=20),
    Route(template="/api/v1/knowledge/search", method="GET", service="knowledge", service_share=50),
)

SERVICES: Final = ("chat", "model_gateway", "knowledge")
"""Names of the services, which are the names of the demo's parts."""


def templates(service: str | None = None) -> list[str]:
    """Route templates of one service, or of all."""
    return [route.template for route in ROUTES if service in (None, route.service)]


def shares(faulted: str) -> dict[str, int]:
    """Service share of each route when the story is about ``faulted``. Raises ValueError for an unknown route."""
    if faulted not in templates():
        raise ValueError(f"{faulted!r} is not a route of the demo: choose one of {', '.join(templates())}")
    return {route.template: FAULTED_SHARE if route.template == faulted else route.service_share for route in ROUTES}


def rates(faulted: str, service_rate: Fraction) -> Mapping[str, Fraction]:
    """Requests a second of each route, such that the service side of ``faulted`` receives ``service_rate``."""
    return {
        template: service_rate * 100 / share if template == faulted else OTHERS_RATE
        for template, share in shares(faulted).items()
    }
