"""What is asked regularly: the probes of uptime SLOs, and what the guard must know before a rollback."""

from collections.abc import Iterable
from dataclasses import dataclass

from figwatch_agent.durations import SECOND, Duration
from figwatch_agent.model.plan import HttpCall, RollbackPlan, plan_questions
from figwatch_agent.model.slo import Probe, ServiceSlos, Uptime

READ_EVERY: Duration = 2 * SECOND
"""Between two readings: fresh enough for a decision within seconds, and little enough for a gateway to answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeQuestion:
    """A probe of an uptime SLO."""

    slo: str
    probe: Probe


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingQuestion:
    """One of model.plan.plan_questions."""

    name: str
    call: HttpCall
    fields: tuple[str, ...] | None = None  # that make its value; None: that it answers 2xx is all that counts
    interval: Duration = READ_EVERY
    timeout: Duration = READ_EVERY


Question = ProbeQuestion | ReadingQuestion


def questions(
    services: Iterable[ServiceSlos], plans: Iterable[RollbackPlan], read_every: Duration = READ_EVERY
) -> tuple[Question, ...]:
    """Every probe of these SLOs, and every reading of the plans that one of their routes names."""
    files = tuple(services)
    used = {route.rollback for file in files for route in file.routes}
    probes = [
        ProbeQuestion(slo=slo.name, probe=slo.sli.probe)
        for file in files
        for slo in file.slos
        if isinstance(slo.sli, Uptime)
    ]
    readings = [reading for plan in plans if plan.name in used for reading in _readings(plan, read_every)]
    return (*probes, *readings)


def _readings(plan: RollbackPlan, every: Duration) -> Iterable[ReadingQuestion]:
    for asked in plan_questions(plan):
        fields = asked.fields if asked.valued else None
        yield ReadingQuestion(name=asked.name, call=asked.call, fields=fields, interval=every, timeout=every)
