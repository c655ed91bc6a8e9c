"""Business metrics: a panel for each counter, two for each histogram, service beside legacy."""

from collections.abc import Iterator, Sequence
from typing import Final

from figwatch import contract
from figwatch_agent.generate.dashboards.board import Board, Panel, Query, Row, Variable
from figwatch_agent.generate.dashboards.words import newest_rollbacks, open_incidents, quantile, rate
from figwatch_agent.generate.panel_ids import BUSINESS

REFERENCE: Final = ("messages_total", "searches_total", "inference_duration_ms")
"""Those of the reference migration."""

_UNITS: Final = (("_ms", "ms"), ("_seconds", "s"), ("_bytes", "bytes"), ("_ratio", "percentunit"))
_ANY: Final = f'{contract.SERVED_BY}!="shadow",job=~"$job"'
_SIDE: Final = f"{{{{{contract.SERVED_BY}}}}}"


def business(metrics: Sequence[str] = REFERENCE) -> Board:
    """``metrics`` are names of counters (they end in ``_total``) and of histograms. Raises ValueError without any."""
    if not metrics:
        raise ValueError("a dashboard of business metrics needs the name of one")
    return Board(
        uid=BUSINESS,
        title="figwatch: business metrics",
        description="What the services are for, counted by themselves: whether the migration costs any of it.",
        rows=tuple(Row(title=name, panels=tuple(_panels(name))) for name in dict.fromkeys(metrics)),
        variables=(_jobs(metrics),),
        annotations=(open_incidents(""), newest_rollbacks("")),
        since="now-24h",
    )


def _jobs(metrics: Sequence[str]) -> Variable:
    """Whose labels these metrics carry is up to their owners; the job that scraped them is on all."""
    names = "|".join(_count(name) for name in dict.fromkeys(metrics))
    return Variable(name="job", title="Scrape job", series=f'{{__name__=~"{names}"}}', label="job")


def _count(name: str) -> str:
    return name if name.endswith("_total") else f"{name}_count"


def _panels(name: str) -> Iterator[Panel]:
    counter = name.endswith("_total")
    yield Panel(
        key=f"{name}-rate",
        title=f"{name}: a second",
        description="Events a second by the side that served them, as the applications count them.",
        unit="ops",
        lowest=0,
        queries=(Query(expr=rate(_count(name), _ANY), legend=_SIDE),),
    )
    if counter:
        yield Panel(
            key=f"{name}-share",
            title=f"{name}: in the last hour",
            description="The same, as the increase within an hour: what a fall of the left line adds up to.",
            unit="short",
            lowest=0,
            queries=(Query(expr=f"sum by ({contract.SERVED_BY}) (increase({name}{{{_ANY}}}[1h]))", legend=_SIDE),),
        )
        return
    yield Panel(
        key=f"{name}-quantiles",
        title=f"{name}: P95 and P50",
        description="Quantiles between bucket bounds, by the side that served.",
        unit=next((unit for ending, unit in _UNITS if name.endswith(ending)), "short"),
        lowest=0,
        queries=tuple(
            Query(expr=quantile(name, _ANY, share), legend=f"{_SIDE} {legend}")
            for share, legend in (("0.95", "P95"), ("0.5", "P50"))
        ),
    )
