"""Writes our files as OpenSLO: a service, and its SLOs with what they need inside of them."""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from figwatch_agent.durations import format_duration
from figwatch_agent.files.foreign.exported import Exported, Said, all_said, by_counts, counted, ranged, shorthand
from figwatch_agent.files.foreign.openslo import API, NAME
from figwatch_agent.files.foreign.openslo_alerts import SHARE, SHORT
from figwatch_agent.files.foreign.promql_text import decimal_text, percent_text, selector_text
from figwatch_agent.files.foreign.yaml_text import Number, documents_text
from figwatch_agent.files.scalars import DIGITS
from figwatch_agent.model.selector import Selector
from figwatch_agent.model.slo import Promql, ServiceSlos, Slo
from figwatch_agent.model.tier import Tier


def openslo_files(services: Sequence[ServiceSlos]) -> Exported:
    """One file for each service."""
    said = list(all_said(services))
    files: dict[str, str] = {}
    for service in services:
        slos = [_slo(service, slo, said) for slo in service.slos]
        written = [slo for slo in slos if slo is not None]
        if written:
            head = {"apiVersion": API, "kind": "Service", "metadata": _named(service.service), "spec": {}}
            files[f"{service.service}.yaml"] = documents_text([head, *written])
    return Exported(files, tuple(said))


def _slo(service: ServiceSlos, slo: Slo, said: list[Said]) -> dict[str, Any] | None:
    sli = counted(service, slo)
    window = shorthand(service.window)
    if sli is None or window is None:
        if sli is not None:
            message = f"it is not carried over: {format_duration(service.window)} is no window of OpenSLO"
            said.append(Said(service.path, slo.name, message))
        return None
    spec: dict[str, Any] = {"description": slo.description[:1050]} if slo.description else {}
    spec |= {
        "service": service.service,
        "indicator": {"metadata": {"name": _name(slo.name)}, "spec": {"ratioMetric": _metric(sli)}},
        "timeWindow": [{"duration": window, "isRolling": True}],
        "budgetingMethod": "Occurrences",
        "objectives": [{"target": Number(decimal_text(slo.objective) or "")}],
        "alertPolicies": _policies(service, slo, said),
    }
    return {"apiVersion": API, "kind": "SLO", "metadata": _named(slo.name), "spec": spec}


def _metric(sli: Any) -> dict[str, Any]:
    if isinstance(sli, Promql):
        return {"counter": False, "bad": _source(ranged(sli.bad)), "total": _source(ranged(sli.total))}
    by = by_counts(sli)
    part = {"good": _source(_sum(by.good))} if by.good else {"bad": _source(_sum(by.bad))}
    return {"counter": True, **part, "total": _source(_sum(by.total))}


def _source(query: str) -> dict[str, Any]:
    return {"metricSource": {"type": "Prometheus", "spec": {"query": query}}}


def _sum(selectors: Sequence[Selector]) -> str:
    texts = [f"sum({selector_text(one)})" for one in selectors]
    return texts[0] if len(texts) == 1 else " + ".join(f"({text} or vector(0))" for text in texts)


def _policies(service: ServiceSlos, slo: Slo, said: list[Said]) -> list[dict[str, Any]]:
    policies = []
    for tier in slo.tiers:
        long = shorthand(tier.long)
        if long is None:
            message = f"its tier {tier.name} is not carried over: {format_duration(tier.long)} is no window of OpenSLO"
            said.append(Said(service.path, slo.name, message))
            continue
        policies.append(_policy(slo, tier, long, tier.factor(service.window)))
    return policies


def _policy(slo: Slo, tier: Tier, long: str, factor: Fraction) -> dict[str, Any]:
    name = _name(f"{slo.name}-{tier.name}")
    annotations = {SHORT: format_duration(tier.short)}
    threshold = decimal_text(factor)
    if threshold is None or len(threshold) > DIGITS:
        threshold = f"{float(factor):.{DIGITS - 1 - len(str(int(factor)))}f}"
        annotations[SHARE] = percent_text(tier.share) or ""
    condition = {
        "kind": "AlertCondition",
        "metadata": {"name": name, "annotations": annotations},
        "spec": {
            "severity": str(tier.severity),
            "condition": {
                "kind": "burnrate",
                "op": "gte",
                "threshold": Number(threshold),
                "lookbackWindow": long,
                "alertAfter": "0m",
            },
        },
    }
    spec = {"alertWhenBreaching": True, "conditions": [condition], "notificationTargets": []}
    return {"kind": "AlertPolicy", "metadata": {"name": name}, "spec": spec}


def _named(name: str) -> dict[str, Any]:
    plain = _name(name)
    return {"name": plain} if plain == name else {"name": plain, "annotations": {NAME: name}}


def _name(name: str) -> str:
    """A name of RFC 1123: small letters, digits, - and ., and neither of these at an end."""
    return re.sub(r"[^a-z0-9.-]", "-", name.lower())[:253].strip("-.")
