"""All rules of one service: beside the agent, without it, and under Sloth's names."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from figwatch_agent.durations import MINUTE, Duration
from figwatch_agent.generate.rule import Group, Rule
from figwatch_agent.generate.signal_alerts import legacy_leak, telemetry_lost, traffic_lost, watched
from figwatch_agent.generate.slicing import countable, slices
from figwatch_agent.generate.sloth import about, error_ratios
from figwatch_agent.generate.texts import Links
from figwatch_agent.generate.tier_alerts import alpha_of, tier_alert
from figwatch_agent.generate.windows import SHOWN, ratio_of_slices, remaining, sums, whole, windows_of
from figwatch_agent.model.slo import ServiceSlos, Slo

PERIOD_INTERVAL: Final[Duration] = 5 * MINUTE
"""The sums of a whole period move slowly and read many minutes: every fifth is often enough."""

MOST_PER_SLO: Final = 6
"""Rules for one SLO where the agent computes the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is generated, beyond the files."""

    standalone: bool = False  # rules that need no agent
    sloth_names: bool = False  # Sloth's names beside our own; with standalone only
    links: Links = field(default_factory=Links)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """All files of one service, in one order whatever order they came in."""

    name: str
    files: tuple[ServiceSlos, ...]

    @property
    def slos(self) -> tuple[tuple[ServiceSlos, Slo], ...]:
        """Every SLO that rules can count, with its file, by name."""
        found = [(file, slo) for file in self.files for slo in file.slos if countable(slo)]
        return tuple(sorted(found, key=lambda pair: pair[1].name))

    @property
    def windows(self) -> tuple[Duration, ...]:
        """Windows of tiers and dashboards, shortest first."""
        return windows_of(slo for _, slo in self.slos)

    @property
    def periods(self) -> tuple[Duration, ...]:
        """Budget periods that are no window of a tier."""
        return tuple(sorted({file.window for file, _ in self.slos} - {*self.windows}))


def by_service(files: Iterable[ServiceSlos]) -> tuple[Service, ...]:
    """The services that promise something countable, by name."""
    found: dict[str, list[ServiceSlos]] = {}
    for file in files:
        found.setdefault(file.service, []).append(file)
    services = [
        Service(name=name, files=tuple(sorted(mine, key=lambda file: sorted(slo.name for slo in file.slos))))
        for name, mine in sorted(found.items())
    ]
    return tuple(service for service in services if service.slos)


def left_out(files: Iterable[ServiceSlos]) -> tuple[str, ...]:
    """SLOs that only the agent can count."""
    return tuple(sorted(slo.name for file in files for slo in file.slos if not countable(slo)))


def beside_agent(service: Service, options: Options) -> tuple[Group, ...]:
    """Counts and ratios for dashboards, what is left of the budget, and the alert that telemetry is lost.

    At most MOST_PER_SLO rules for each SLO; tiers, evidence, recovery and rollbacks are the agent's.
    """
    rules: list[Rule] = []
    for file, slo in service.slos:
        rules += slices(file, slo)
    rules += [ratio_of_slices(service.name, window) for window in SHOWN]
    rules += _telemetry(service, options)
    budgets = tuple(remaining(file, slo, recorded=False) for file, slo in service.slos)
    return (
        Group(name=f"figwatch-{service.name}", rules=tuple(rules)),
        Group(name=f"figwatch-{service.name}-period", rules=budgets, interval=PERIOD_INTERVAL),
    )


def standalone(service: Service, options: Options) -> tuple[Group, ...]:
    """Everything that recording and alerting rules can do without an agent."""
    alpha = alpha_of(service.files)
    rules: list[Rule] = []
    for file, slo in service.slos:
        rules += slices(file, slo)
    for window in service.windows:
        rules += [*sums(service.name, window), whole(service.name, window)]
    for file, slo in service.slos:
        rules += [tier_alert(file, slo, tier, alpha, options.links) for tier in slo.tiers]
    rules += _telemetry(service, options)
    for file in service.files:
        rules += [traffic_lost(file, slo, options.links) for slo in watched(file) if countable(slo)]
        rules += legacy_leak(file, options.links)
    period: list[Rule] = [rule for window in service.periods for rule in sums(service.name, window)]
    period += [remaining(file, slo, recorded=True) for file, slo in service.slos]
    return (
        Group(name=f"figwatch-{service.name}", rules=tuple(rules)),
        Group(name=f"figwatch-{service.name}-period", rules=tuple(period), interval=PERIOD_INTERVAL),
    )


def under_sloths_names(service: Service) -> tuple[Group, ...]:
    """The aliases, read from what the standalone rules record."""
    rules: list[Rule] = []
    for file, slo in service.slos:
        rules += error_ratios(file, slo, tuple(sorted({*service.windows, file.window})))
        rules += about(file, slo, service.windows[0])
    return (Group(name=f"figwatch-{service.name}-sloth", rules=tuple(rules)),)


def _telemetry(service: Service, options: Options) -> Sequence[Rule]:
    return [
        telemetry_lost(file, slo, options.links) for file in service.files for slo in watched(file) if countable(slo)
    ]
