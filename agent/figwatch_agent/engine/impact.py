"""Incidents over a stretch in which no alert comes or goes: each bad tick puts the end of their impact off."""

from collections.abc import Mapping

import numpy as np

from figwatch_agent.decide import incidents
from figwatch_agent.decide.runs import NEVER
from figwatch_agent.engine.desk import Desk
from figwatch_agent.engine.standing import Standing
from figwatch_agent.model.incident import Alert, Incident


def put_off(
    desk: Desk, firing: Mapping[int, Alert], stands: Mapping[int, Standing], ticks: int
) -> dict[int, list[Incident]]:
    """Live through so many ticks with every open case; by tick, the incidents that it changed."""
    changed: dict[int, list[Incident]] = {}
    for case in desk.cases.values():
        paging = {alert.id for alert in incidents.paging(case.incident)}
        ends = [stands[watch].impact[:ticks] for watch, alert in firing.items() if alert.id in paging]
        if not ends:
            continue
        for tick, end in enumerate(np.maximum.reduce(ends).tolist()):
            case.put(incidents.bad_until(case.incident, None if end == NEVER else end))
            if case.changed:
                changed.setdefault(tick, []).append(case.incident)
                case.changed = False
    return changed
