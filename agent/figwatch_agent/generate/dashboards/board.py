"""What a dashboard is made of: queries, panels, rows, variables, annotations."""

from dataclasses import dataclass, field
from enum import StrEnum

from figwatch_agent.model.names import AlertName


class Kind(StrEnum):
    """How a panel draws."""

    GRAPH = "graph"  # over time
    BARS = "bars"  # over time, a bar per step
    STAT = "stat"  # the newest value, large
    GAUGES = "gauges"  # a bar for each newest value
    TIMELINE = "timeline"  # states over time
    TABLE = "table"  # newest values, a row for each set of labels


class Colour(StrEnum):
    """Meanings, not tastes; the names are Grafana's."""

    GOOD = "green"
    WARNING = "orange"
    BAD = "red"
    NEUTRAL = "blue"
    UNKNOWN = "gray"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One query of a panel."""

    expr: str
    legend: str = ""
    exemplars: bool = False  # dots that lead to traces
    dashed: bool = False  # a limit, not a measurement; its legend says "threshold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table: the value of a query (``#A`` for the first), or a label."""

    source: str
    title: str
    unit: str = "none"
    meanings: tuple[tuple[str, str, Colour], ...] = ()  # value, text, colour


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel. Its key is its identity: links and ids follow from it."""

    key: str
    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    kind: Kind = Kind.GRAPH
    width: int = 12  # of 24
    height: int = 8
    steps: tuple[tuple[float | None, Colour], ...] = ((None, Colour.NEUTRAL),)  # from this value on; None: from below
    meanings: tuple[tuple[str, str, Colour], ...] = ()  # value, text, colour
    columns: tuple[Column, ...] = ()  # of a table, in this order; labels that are not named are hidden
    lowest: float | None = None
    highest: float | None = None
    decimals: int | None = None
    stacked: bool = False
    alerts: tuple[AlertName, ...] = ()  # that lead here


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A headline with its panels, side by side while there is room."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A choice at the top: the values of a label."""

    name: str
    title: str
    series: str
    label: str
    derived: bool = False  # from the other choices: nobody sees it, and it is always all there is


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """What happened, drawn over every graph."""

    name: str
    expr: str
    title: str  # {{label}} is filled in
    text: str
    colour: Colour
    value_is_time: bool = False  # the value is when it happened, in milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One dashboard."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    since: str = "now-6h"
    panels: tuple[Panel, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "panels", tuple(panel for row in self.rows for panel in row.panels))
