"""Which forms of target each measure takes.

`kept` asks for no less than before, so no measure takes it of which less is better.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from figwatch_agent.files.diagnostics import quoted
from figwatch_agent.model.names import Measure
from figwatch_agent.model.target import Form, TargetError, Unit, parse_target


class Taken(NamedTuple):
    """The forms that a measure takes, each with its unit, and an example for people."""

    forms: frozenset[tuple[Form, Unit]]
    example: str


def _below(*units: Unit) -> list[tuple[Form, Unit]]:
    return [(form, unit) for form in (Form.BELOW, Form.AT_MOST) for unit in units]


def _above(unit: Unit) -> list[tuple[Form, Unit]]:
    return [(form, unit) for form in (Form.ABOVE, Form.AT_LEAST)]


def _changed(*forms: Form) -> list[tuple[Form, Unit]]:
    return [(form, Unit.BASELINE) for form in forms]


def _taken(forms: Iterable[tuple[Form, Unit]], example: str) -> Taken:
    return Taken(frozenset(forms), example)


TAKEN: Mapping[Measure, Taken] = {
    Measure.UPTIME: _taken(_above(Unit.RATIO), '"> 99.9%"'),
    Measure.LATENCY_P95: _taken(_below(Unit.MILLISECONDS), '"< 200ms"'),
    Measure.DATA_LOSS: _taken(_below(Unit.NUMBER, Unit.RATIO), '"< 1" (records)'),
    Measure.DEPLOYMENT_FREQUENCY: _taken(_changed(Form.TIMES), "x5"),
    Measure.MTTR: _taken(_below(Unit.MILLISECONDS), '"< 15m"'),
    Measure.LEGACY_RATIO: _taken(_below(Unit.RATIO), '"< 1%"'),
    Measure.SATISFACTION: _taken(_changed(Form.KEPT, Form.UP, Form.GROWN), "kept, up or +5%"),
    Measure.DELIVERY_SPEED: _taken(_changed(Form.UP, Form.GROWN, Form.TIMES), "+40%"),
    Measure.INFRASTRUCTURE_COST: _taken(_changed(Form.SHRUNK), "-30%"),
    Measure.DEVELOPER_PRODUCTIVITY: _taken(_changed(Form.KEPT, Form.UP, Form.GROWN), "up, kept or +10%"),
    Measure.TIME_TO_MARKET: _taken(_changed(Form.SHRUNK), "-50%"),
}

TAKES_SLO = frozenset((Measure.UPTIME, Measure.LATENCY_P95))
TAKES_SAMPLES = frozenset((Measure.DATA_LOSS,))
TAKES_ROUTE = frozenset((Measure.UPTIME, Measure.LATENCY_P95, Measure.LEGACY_RATIO, Measure.MTTR))


def target_problem(measure: Measure, text: str) -> tuple[str, str] | None:
    """What is wrong with a target, and what to write instead; None if nothing is."""
    taken = TAKEN[measure]
    hint = f"write it like {taken.example}"
    try:
        target = parse_target(text)
    except TargetError as error:
        return f"{quoted(text)} is not a target: {error.what}", hint
    if (target.form, target.unit) not in taken.forms:
        return f"{quoted(text)} is not a target for {measure.value}", hint
    return None
