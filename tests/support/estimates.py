"""An SLO written in PromQL, and answers to it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from figwatch_agent.durations import DAY
from figwatch_agent.model.slo import Promql, ServiceSlos, Slo
from figwatch_agent.sources.estimates import Estimates

COUNTED, RATE = "sum(increase(a_total[$window]))", "sum(rate(b_total[5m]))"
"""Events of a window, and events a second."""


def promql_service(total: str = COUNTED, bad: str = RATE) -> ServiceSlos:
    """One SLO in PromQL."""
    slo = Slo(name="own", sli=Promql(bad=bad, total=total), objective=Fraction(99, 100), tiers=())
    return ServiceSlos(
        path="slo/x.yaml", migration="m", service="chat", window=30 * DAY, routes=(), slos=(slo,), criteria=()
    )


def estimates(total: str = COUNTED, bad: str = RATE) -> Estimates:
    """What asks for it."""
    return Estimates([promql_service(total, bad)])


def vector(*values: str) -> dict[str, Any]:
    """An instant vector."""
    return {"resultType": "vector", "result": [{"metric": {}, "value": [1, value]} for value in values]}
