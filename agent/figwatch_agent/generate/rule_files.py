"""Rules with their tests, and the Alertmanager's side, as {path: text}; the same input gives the same bytes."""

from collections.abc import Iterable, Sequence
from typing import Any

from figwatch_agent.durations import MINUTE
from figwatch_agent.generate.agent_alerts import agent_group
from figwatch_agent.generate.agent_scenarios import agent_scenarios
from figwatch_agent.generate.alertmanager import alertmanager_config
from figwatch_agent.generate.pins import (
    end_of,
    half_measured,
    long_quiet,
    nothing_since,
    sloth_pins,
    telemetry_pins,
    traffic_pins,
    window_pins,
)
from figwatch_agent.generate.promtool import file_of
from figwatch_agent.generate.rule import HEADER, Group
from figwatch_agent.generate.rules import Options, Service, beside_agent, by_service, standalone, under_sloths_names
from figwatch_agent.generate.scenarios import Stage, usual
from figwatch_agent.generate.signal_scenarios import leaking, lost, silent
from figwatch_agent.generate.tier_alerts import alpha_of
from figwatch_agent.generate.tier_pins import slow_burn, tier_pins
from figwatch_agent.generate.yaml_text import yaml_text
from figwatch_agent.model.slo import ServiceSlos

AGENT_FILE = "figwatch-agent"

Documents = dict[str, dict[str, Any]]


def rule_files(files: Iterable[ServiceSlos], options: Options) -> dict[str, str]:
    """Every file for these slo/*.yaml. Raises ValueError naming a window that rules cannot count."""
    documents: Documents = {"alertmanager.yml": alertmanager_config()}
    for service in by_service(files):
        documents |= _standalone(service, options) if options.standalone else _beside_agent(service, options)
    if not options.standalone:
        group = agent_group(options.links)
        documents[f"{AGENT_FILE}.rules.yml"] = _rules((group,))
        documents[f"{AGENT_FILE}.tests.yml"] = file_of(
            [f"{AGENT_FILE}.rules.yml"], [group.name], MINUTE, agent_scenarios()
        )
    header = HEADER.format(command=command_of(options))
    return {path: yaml_text(header, document) for path, document in sorted(documents.items())}


def command_of(options: Options) -> str:
    """What one types for the same."""
    words = ["figwatch generate slo/*.yaml"]
    words += ["--standalone"] if options.standalone else []
    words += ["--sloth-names"] if options.sloth_names else []
    return " ".join(words)


def _beside_agent(service: Service, options: Options) -> Documents:
    groups = beside_agent(service, options)
    rules, names = f"{service.name}.rules.yml", _names(groups)
    stage = Stage(service, alpha_of(service.files), groups, tiers=False)
    windows = [
        window_pins(service, standalone=False),
        long_quiet(service),
        nothing_since(service),
        *telemetry_pins(service),
    ]
    return {
        rules: _rules(groups),
        f"{service.name}.tests.yml": file_of([rules], names, MINUTE, [*usual(stage), *lost(stage)]),
        f"{service.name}.windows.tests.yml": file_of([rules], names, end_of(service), windows),
    }


def _standalone(service: Service, options: Options) -> Documents:
    groups, alpha = standalone(service, options), alpha_of(service.files)
    rules, names = f"{service.name}.rules.yml", _names(groups)
    stage = Stage(service, alpha, groups, tiers=True)
    stories = [*usual(stage), *lost(stage), *silent(stage), *leaking(stage)]
    closely = [
        window_pins(service, standalone=True),
        half_measured(service),
        long_quiet(service),
        nothing_since(service),
        *traffic_pins(service),
        *telemetry_pins(service),
        slow_burn(service),
        tier_pins(service, alpha, groups),
    ]
    documents: Documents = {
        rules: _rules(groups),
        f"{service.name}.tests.yml": file_of([rules], names, MINUTE, stories),
        f"{service.name}.windows.tests.yml": file_of([rules], names, end_of(service), closely),
    }
    if options.sloth_names:
        aliases = under_sloths_names(service)
        sloth = f"{service.name}.sloth.rules.yml"
        documents[sloth] = _rules(aliases)
        documents[f"{service.name}.sloth.tests.yml"] = file_of(
            [rules, sloth], [*names, *_names(aliases)], end_of(service), [sloth_pins(service)]
        )
    return documents


def _rules(groups: Sequence[Group]) -> dict[str, Any]:
    return {"groups": [group.document() for group in groups]}


def _names(groups: Sequence[Group]) -> list[str]:
    return [group.name for group in groups]
