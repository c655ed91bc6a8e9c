"""An alert of another system, as an Alertmanager tells it, on its way through the inbox."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from figwatch_agent.durations import Instant
from figwatch_agent.model.command import Command, CommandKind
from figwatch_agent.model.names import Severity

OWN_LABEL: Final = "figwatch_incident"
"""On every alert that figwatch itself sends to an Alertmanager; whoever hands one back is told nothing new."""

LOUD: Final = ("page", "critical")
"""Values of the label ``severity`` that wake a person; all others open a ticket."""

_TEXTS: Final = ("fingerprint", "name", "route", "slo", "service", "summary", "generator_url", "receiver", "truncated")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalAlert:
    """One alert, firing or over. Fingerprint and start make it one, whoever delivers it and however often."""

    fingerprint: str  # of its labels, as Alertmanager computes it
    name: str  # label alertname
    starts_at: Instant
    ends_at: Instant | None  # None while it fires
    severity: Severity
    route: str = ""  # label route
    slo: str = ""  # label slo
    service: str = ""  # label service
    summary: str = ""  # annotation summary, or description
    generator_url: str = ""
    receiver: str = ""  # whom Alertmanager told
    truncated: str = ""  # how many alerts of the same group it left out; "" for none

    @property
    def id(self) -> str:
        """Of the alert inside an incident."""
        return f"external {self.fingerprint} {self.starts_at}"

    @property
    def firing(self) -> bool:
        """Whether it is not over."""
        return self.ends_at is None


def command_of(alert: ExternalAlert, *, at: Instant, actor: str, origin: str) -> Command:
    """The wish for the inbox. Its id derives from the alert: told again, by any Alertmanager, it is known."""
    state = "firing" if alert.firing else "resolved"
    data = {name: text for name in _TEXTS if (text := getattr(alert, name))}
    data |= {"starts_at": str(alert.starts_at), "severity": alert.severity.value}
    if alert.ends_at is not None:
        data["ends_at"] = str(alert.ends_at)
    return Command(
        id=f"alertmanager:{alert.fingerprint}/{alert.starts_at}/{state}",
        kind=CommandKind.EXTERNAL_ALERT,
        at=at,
        actor=actor,
        origin=origin,
        subject=alert.name,
        why=alert.summary,
        data=tuple(sorted(data.items())),
    )


def alert_of(data: Mapping[str, str]) -> ExternalAlert:
    """The alert of a wish. Raises ValueError where the wish was put by hand and lacks something."""
    try:
        return ExternalAlert(
            **{name: data.get(name, "") for name in _TEXTS if name not in ("fingerprint", "name")},
            fingerprint=data["fingerprint"],
            name=data["name"],
            starts_at=int(data["starts_at"]),
            ends_at=int(data["ends_at"]) if "ends_at" in data else None,
            severity=Severity(data["severity"]),
        )
    except (KeyError, ValueError) as error:
        raise ValueError(f"an external alert needs fingerprint, name, starts_at and severity: {error}") from None
