"""Thresholds that are tried one by one: `objective=99%,99.9%`, `1h.share=1%,2%`, `1h.factor=10,14.4`."""

import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Final

from figwatch_agent.files.tiers import tier_flaws
from figwatch_agent.model.labelled import Swept
from figwatch_agent.model.slo import ServiceSlos, Slo
from figwatch_agent.model.tier import Tier, early_possible

MOST_VALUES: Final = 100

_NUMBER: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?")

Services = tuple[ServiceSlos, ...]


def read_sweep(text: str) -> tuple[Swept, ...]:
    """The values of one ``--sweep``. Raises ValueError, saying what is wrong."""
    key, equals, values = text.partition("=")
    if not equals or not values:
        raise ValueError(f"{text!r} tries nothing: write objective=99%,99.9% or 1h.share=1%,2% or 1h.factor=10,14.4")
    tier, _, member = key.rpartition(".")
    if key != "objective" and (member not in ("share", "factor") or not tier):
        raise ValueError(f"{key!r} is no threshold: there are objective, TIER.share and TIER.factor")
    found = tuple(Swept(key=key, value=value.strip()) for value in values.split(","))
    if len(found) > MOST_VALUES:
        raise ValueError(f"{key} has more than {MOST_VALUES} values")
    for each in found:
        _number(each)
    return found


def swept(services: Services, tried: Swept) -> tuple[Services, tuple[str, ...]]:
    """The promises with one threshold changed in every SLO, and what had to be left out for it.

    Raises ValueError where the value can be no threshold, or where no SLO has the tier.
    """
    notices: list[str] = []
    value = _number(tried)
    tier, _, member = tried.key.rpartition(".")
    if tried.key == "objective":
        changed = _changed(services, lambda service, slo: _objective(service, slo, value, notices))
    else:
        if not any(one.name == tier for service in services for slo in service.slos for one in slo.tiers):
            raise ValueError(f"no SLO has a tier {tier!r}")
        changed = _changed(services, lambda service, slo: _tier(service, slo, tier, member, value, notices))
    return changed, tuple(notices)


def _changed(services: Services, change: Callable[[ServiceSlos, Slo], Slo]) -> Services:
    return tuple(replace(service, slos=tuple(change(service, slo) for slo in service.slos)) for service in services)


def _objective(service: ServiceSlos, slo: Slo, objective: Fraction, notices: list[str]) -> Slo:
    if not 0 < objective < 1:
        raise ValueError("an objective lies between 0% and 100%")
    early = slo.early and early_possible(objective)
    if slo.early and not early:
        notices.append(f"{slo.name} goes without the early lane: it cannot tell an outage from what is allowed")
    changed = replace(slo, objective=objective, early=early)
    return replace(changed, tiers=_possible(service, changed, notices))


def _tier(service: ServiceSlos, slo: Slo, name: str, member: str, value: Fraction, notices: list[str]) -> Slo:
    tiers = tuple(
        replace(tier, share=value if member == "share" else value * tier.long / service.window)
        if tier.name == name
        else tier
        for tier in slo.tiers
    )
    changed = replace(slo, tiers=tiers)
    return replace(changed, tiers=_possible(service, changed, notices))


def _possible(service: ServiceSlos, slo: Slo, notices: list[str]) -> tuple[Tier, ...]:
    kept: list[Tier] = []
    for tier in slo.tiers:
        flaw = next(tier_flaws(tier, service.window, slo.objective), None)
        if flaw is None:
            kept.append(tier)
        else:
            notices.append(f"{slo.name} goes without tier {tier.name}: {flaw.message}")
    return tuple(kept)


def _number(tried: Swept) -> Fraction:
    """A percentage of an objective or a share, or a factor; exact."""
    text, percent = tried.value.removesuffix("%"), tried.value.endswith("%")
    if not _NUMBER.fullmatch(text) or percent == tried.key.endswith(".factor"):
        form = "a factor such as 14.4" if tried.key.endswith(".factor") else "a percentage such as 99.9%"
        raise ValueError(f"{tried.value!r} is no value for {tried.key}: write {form}")
    return Fraction(text) / (100 if percent else 1)
