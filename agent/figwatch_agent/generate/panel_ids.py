"""Which panel an alert leads to: every alert has one, and every such panel one alert."""

import zlib
from collections.abc import Mapping
from typing import Final

from figwatch_agent.model.names import AlertName

OVERVIEW: Final = "figwatch-overview"
SERVICE: Final = "figwatch-service"
SLO: Final = "figwatch-slo"
INCIDENTS: Final = "figwatch-incidents"
AGENT: Final = "figwatch-agent"
BUSINESS: Final = "figwatch-business"
"""Uids of the dashboards."""

PANELS: Final[Mapping[AlertName, tuple[str, str]]] = {
    AlertName.ERROR_BUDGET_BURN_FAST: (SLO, "burn-that-pages"),
    AlertName.ERROR_BUDGET_BURN_SLOW: (SLO, "burn-that-opens-tickets"),
    AlertName.EARLY_OUTAGE: (SLO, "early-lane"),
    AlertName.LATENCY_DEGRADED: (SLO, "bad-ratio"),
    AlertName.UPTIME_LOW: (SLO, "uptime"),
    AlertName.TRAFFIC_LOST: (SERVICE, "traffic"),
    AlertName.LEGACY_LEAK: (OVERVIEW, "legacy-leak"),
    AlertName.TELEMETRY_LOST: (AGENT, "targets"),
    AlertName.DELIVERY_FAILING: (AGENT, "deliveries"),
    AlertName.EXTERNAL_ALERT: (INCIDENTS, "prometheus-alerts"),
    AlertName.ROLLBACK_INEFFECTIVE: (INCIDENTS, "rollbacks-ineffective"),
    AlertName.ROLLBACK_UNVERIFIED: (INCIDENTS, "rollbacks-unverified"),
    AlertName.ROLLBACK_NEEDS_HUMAN: (INCIDENTS, "rollbacks-need-a-person"),
}
"""Alert -> uid of the dashboard and key of the panel."""

_IDS: Final = 1_000_000
"""Far more than a dashboard has panels, and still readable in a URL."""


def panel_id(board: str, key: str) -> int:
    """The id of a panel: it follows from what the panel is, not from where it stands."""
    return zlib.crc32(f"{board}/{key}".encode()) % _IDS + 1
