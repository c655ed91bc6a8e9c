"""How the target of a criterion is written, measure by measure."""

import re
from collections.abc import Mapping
from fractions import Fraction

from figwatch_agent.files.diagnostics import quoted
from figwatch_agent.model.names import Measure

_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"
_BELOW = r"<=?\s*"
_ABOVE = r">=?\s*"
_DURATION = r"(?:[0-9]{1,9}(?:ms|s|m|h|d|w))+"

FORMS: Mapping[Measure, tuple[str, str]] = {
    Measure.UPTIME: (rf"{_ABOVE}{_NUMBER}%", '"> 99.9%"'),
    Measure.LATENCY_P95: (rf"{_BELOW}{_DURATION}", '"< 200ms"'),
    Measure.DATA_LOSS: (rf"{_BELOW}{_NUMBER}%?|kept", '"< 1" (records)'),
    Measure.DEPLOYMENT_FREQUENCY: (rf"x{_NUMBER}", "x5"),
    Measure.MTTR: (rf"{_BELOW}{_DURATION}", '"< 15m"'),
    Measure.LEGACY_RATIO: (rf"{_BELOW}{_NUMBER}%", '"< 1%"'),
    Measure.SATISFACTION: (rf"kept|up|\+{_NUMBER}%", "kept, up or +5%"),
    Measure.DELIVERY_SPEED: (rf"up|\+{_NUMBER}%|x{_NUMBER}", "+40%"),
    Measure.INFRASTRUCTURE_COST: (rf"-{_NUMBER}%|kept", "-30%"),
    Measure.DEVELOPER_PRODUCTIVITY: (rf"kept|up|\+{_NUMBER}%", "up, kept or +10%"),
    Measure.TIME_TO_MARKET: (rf"-{_NUMBER}%", "-50%"),
}
"""Measure -> what a target looks like, and an example for people."""

TAKES_SLO = frozenset((Measure.UPTIME, Measure.LATENCY_P95))
TAKES_ROUTE = frozenset((Measure.UPTIME, Measure.LATENCY_P95, Measure.LEGACY_RATIO, Measure.MTTR))


def target_problem(measure: Measure, target: str) -> tuple[str, str] | None:
    """What is wrong with a target, and what to write instead; None if nothing is."""
    form, example = FORMS[measure]
    if not re.fullmatch(form, target):
        return f"{quoted(target)} is not a target for {measure.value}", f"write it like {example}"
    if not _asks_for_change(target):
        return f"{quoted(target)} asks for nothing that can be reached by changing", f"write it like {example}"
    return None


def _asks_for_change(target: str) -> bool:
    """A multiple is above x1, a change is not zero, and nothing falls by more than all of it."""
    if target[0] not in "x+-":
        return True
    number = Fraction(target.strip("x+-%"))
    if target[0] == "x":
        return number > 1
    return number > 0 and (target[0] == "+" or number <= 100)
