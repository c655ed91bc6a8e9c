"""A file of slo/ as it was written, before defaults that depend on the rest of it are filled in."""

from fractions import Fraction
from typing import NamedTuple

from figwatch_agent.durations import Duration
from figwatch_agent.model.names import Measure, Severity
from figwatch_agent.model.slo import Burn, Route, Sli, SqlSample, Vantage


class WrittenTier(NamedTuple):
    """A tier as written: exactly one of ``share`` and ``factor`` is given."""

    long: Duration
    short: Duration
    severity: Severity
    share: Fraction | None = None
    factor: Fraction | None = None  # burn rate
    allow_slow: bool = False
    name: str | None = None


class WrittenSlo(NamedTuple):
    """An SLO as written; what is left out depends on the rest of the file."""

    name: str
    sli: Sli
    objective: Fraction
    tiers: tuple[WrittenTier, ...] | None = None
    early: bool | None = None
    burn: Burn = "time"
    routes: tuple[str, ...] = ()
    description: str = ""


class WrittenCriterion(NamedTuple):
    """A criterion as written."""

    name: str
    measure: Measure
    target: str
    over: Duration | None = None
    by: str | None = None
    slo: str | None = None
    route: str | None = None
    every: Duration | None = None
    sql: SqlSample | None = None


class WrittenFile(NamedTuple):
    """A whole file as written."""

    version: int
    migration: str
    window: Duration
    service: str = ""
    vantage: Vantage = "edge"
    routes: tuple[Route, ...] = ()
    slos: tuple[WrittenSlo, ...] = ()
    criteria: tuple[WrittenCriterion, ...] = ()
