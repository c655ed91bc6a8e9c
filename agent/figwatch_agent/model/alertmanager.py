"""What stands at an Alertmanager for one group of pages, as it is kept so that no crash changes who an alert is."""

from dataclasses import dataclass
from typing import Final

from figwatch_agent.durations import Instant
from figwatch_agent.model.external import OWN_LABEL

ASKS: Final = "asks"
"""Label of the second alert of a group: an Alertmanager tells of labels that are new, and of new words never."""

OWN_LABELS: Final = (
    "alertname",
    OWN_LABEL,
    "migration",
    "service",
    "route",
    "slo",
    "tier",
    "severity",
    ASKS,
)
"""Every label that figwatch sets; the names are those of the generated rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """An alert, as an Alertmanager knows it: these labels are what it is, and its start never moves."""

    labels: tuple[tuple[str, str], ...]  # by name
    starts_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The alerts of one group of pages; the group's own comes first."""

    alerts: tuple[Identity, ...]
    ended_at: Instant | None = None  # None while they are open
