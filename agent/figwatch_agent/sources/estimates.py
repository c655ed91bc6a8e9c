"""Events of SLOs written in PromQL: the engine computes them, so they are estimates, rounded without losing any.

An expression that holds ``$window`` counts the events of that time; any other gives events a second, and is taken to
have held since the look before.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

import numpy as np

from figwatch_agent.durations import SECOND, Duration, Instant
from figwatch_agent.model.batch import Counted
from figwatch_agent.model.slo import Promql, ServiceSlos
from figwatch_agent.sources.fault import Fault, FaultReason

WINDOW: Final = "$window"
MOST: Final = 2**52
"""Events of one look beyond which a sample is no count that a double holds exactly."""


class Estimates:
    """Asks for the time since the look before, and carries what rounding leaves over to the next one."""

    def __init__(self, services: Sequence[ServiceSlos]) -> None:
        slos = [slo for service in services for slo in service.slos if isinstance(slo.sli, Promql)]
        self._keys = tuple(f"{slo.name} " for slo in slos)
        self.queries: tuple[str, ...] = tuple(
            query for slo in slos if isinstance(slo.sli, Promql) for query in (slo.sli.total, slo.sli.bad)
        )
        self._rest = [Fraction(0)] * len(self.queries)
        self._at: Instant | None = None

    def texts(self, now: Instant) -> list[str]:
        """What to ask now: for each SLO its total and its bad events."""
        window = self._window(now) or SECOND
        return [query.replace(WINDOW, f"{window}ms") for query in self.queries]

    def counted(self, answers: Sequence[Any], now: Instant) -> Counted:
        """Answers to ``texts(now)`` as whole events. On the first look nothing counts: it says where counting begins.

        Raises Fault where an answer is no vector and no number.
        """
        window, pairs = self._window(now), zip(self.queries, answers, strict=True)
        values = [_events(answer, query, window) for query, answer in pairs]
        self._at = now
        events = np.zeros(len(values), dtype=np.int64)
        known = np.zeros(len(self._keys), dtype=np.int64)
        for place in range(len(self._keys)):
            total, bad = values[2 * place], values[2 * place + 1]
            if total is None:  # the engine has no such series: what happened is not known
                continue
            known[place] = window
            for index, value in ((2 * place, total), (2 * place + 1, bad or Fraction(0))):
                whole = self._rest[index] + value
                events[index] = math.floor(whole)
                self._rest[index] = whole - math.floor(whole)
        return Counted(keys=self._keys, at=now, total=events[0::2].copy(), bad=events[1::2].copy(), covered=known)

    def skip(self) -> None:
        """The look failed: the time until the next one stays unknown."""
        self._at = None

    def _window(self, now: Instant) -> Duration:
        return 0 if self._at is None else now - self._at


def _events(answer: Any, query: str, window: Duration) -> Fraction | None:
    value = _value(answer)
    if value is None or WINDOW in query:
        return value
    return value * window / SECOND


def _value(answer: Any) -> Fraction | None:
    """The sum of an instant vector, or a scalar; None for an empty vector and for what is no number."""
    try:
        if answer["resultType"] == "scalar":
            texts = [answer["result"][1]]
        elif answer["resultType"] == "vector":
            texts = [sample["value"][1] for sample in answer["result"]]
        else:
            raise Fault(FaultReason.MALFORMED, f"PromQL of an SLO gives a {answer['resultType']}, not one number")
        values = [float(text) for text in texts]
    except (KeyError, TypeError, IndexError, ValueError):
        raise Fault(FaultReason.MALFORMED, "the answer to an SLO's PromQL is no number") from None
    if not values or not all(math.isfinite(value) and 0 <= value <= MOST for value in values):
        return None
    return sum((Fraction(value) for value in values), Fraction(0))
