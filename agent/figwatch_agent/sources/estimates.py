"""Events of SLOs written in PromQL: the engine computes them, so they are estimates, rounded without losing any.

An expression that holds ``$window`` counts the events of that time; any other gives events a second, and is taken to
have held since the look before. What was missed is asked for step by step, by the same rules.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

import numpy as np

from figwatch_agent.durations import SECOND, Duration, Instant
from figwatch_agent.model.batch import Counted
from figwatch_agent.model.slo import Promql, ServiceSlos
from figwatch_agent.sources.fault import Fault, FaultReason

WINDOW: Final = "$window"
MOST: Final = 2**52
"""Events of one look beyond which a sample is no count that a double holds exactly."""


HANDED_ON: Final[Duration] = SECOND
"""A look's counts are booked at most so long after it was done: the time they cover then is nobody else's to tell."""


class MissedLooks(NamedTuple):
    """Events of (after, until] that no look counted; of that time, (known_to, until] is not known."""

    after: Instant
    until: Instant
    known_to: Instant


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
        self._last: Instant | None = None  # the last look before those that failed
        self._known_to: Instant = 0  # up to here that one's counts may cover the time
        self.missed: list[MissedLooks] = []  # oldest first

    def texts(self, now: Instant) -> list[str]:
        """What to ask now: for each SLO its total and its bad events."""
        return self.texts_of(self._window(now) or SECOND)

    def texts_of(self, window: Duration) -> list[str]:
        """What to ask of a time that is so long."""
        return [query.replace(WINDOW, f"{window}ms") for query in self.queries]

    def counted(self, answers: Sequence[Any], now: Instant) -> Counted:
        """Answers to ``texts(now)`` as whole events. On the first look nothing counts: it says where counting begins.

        Raises Fault where an answer is no vector and no number.
        """
        window = self._window(now)
        values = [_value(answer) for answer in answers]
        if self._last is not None:
            self.missed.append(MissedLooks(self._last, now, min(self._known_to, now)))
        self._at, self._last = now, None
        return self._whole(values, window, now, window)

    def done(self, now: Instant) -> None:
        """The look is done, and its counts are handed on."""
        self._known_to = now + HANDED_ON

    def counted_then(
        self, answers: Sequence[Any], ats: Sequence[Instant], window: Duration, known_to: Instant
    ) -> tuple[Counted, ...]:
        """The same for past instants, from range answers to ``texts_of(window)`` with a step as long.

        Events are counted whole; of the time, none up to ``known_to``, which other counts cover already.
        """
        by_query = [_values(answer) for answer in answers]
        return tuple(
            self._whole([values.get(at) for values in by_query], window, at, max(min(window, at - known_to), 1))
            for at in ats
        )

    def _whole(self, given: Sequence[Fraction | None], window: Duration, at: Instant, covered: Duration) -> Counted:
        values = [_events(value, query, window) for value, query in zip(given, self.queries, strict=True)]
        events = np.zeros(len(values), dtype=np.int64)
        known = np.zeros(len(self._keys), dtype=np.int64)
        for place in range(len(self._keys)):
            total, bad = values[2 * place], values[2 * place + 1]
            if total is None:  # the engine has no such series: what happened is not known
                continue
            known[place] = covered
            for index, value in ((2 * place, total), (2 * place + 1, bad or Fraction(0))):
                whole = self._rest[index] + value
                events[index] = math.floor(whole)
                self._rest[index] = whole - math.floor(whole)
        return Counted(keys=self._keys, at=at, total=events[0::2].copy(), bad=events[1::2].copy(), covered=known)

    def skip(self) -> None:
        """The look failed: the time until the next one is missed."""
        self._last = self._last if self._at is None else self._at
        self._at = None

    def _window(self, now: Instant) -> Duration:
        return 0 if self._at is None else now - self._at


def _events(value: Fraction | None, query: str, window: Duration) -> Fraction | None:
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
    return _sum(values)


def _values(answer: Any) -> dict[Instant, Fraction | None]:
    """The same by instant, of a range answer; an instant that no series has a value at is not there."""
    found: dict[Instant, list[float]] = {}
    try:
        if answer["resultType"] != "matrix":
            raise Fault(FaultReason.MALFORMED, f"PromQL of an SLO gives a {answer['resultType']} over a range")
        for series in answer["result"]:
            for at, text in series["values"]:
                found.setdefault(round(float(at) * SECOND), []).append(float(text))
    except (KeyError, TypeError, IndexError, ValueError):
        raise Fault(FaultReason.MALFORMED, "the answer to an SLO's PromQL over a range is no number") from None
    return {at: _sum(values) for at, values in found.items()}


def _sum(values: Sequence[float]) -> Fraction | None:
    if not values or not all(math.isfinite(value) and 0 <= value <= MOST for value in values):
        return None
    return sum((Fraction(value) for value in values), Fraction(0))
