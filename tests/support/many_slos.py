"""A migration of a thousand SLOs that has seen some days, for tests and benches of what is shown of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from figwatch import contract
from figwatch_agent.durations import HOUR, SECOND
from figwatch_agent.engine import Engine
from figwatch_agent.model.batch import Batch, Series, SeriesTable
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.names import Stage
from figwatch_agent.model.settings import Scrape
from figwatch_agent.model.slo import ServiceSlos
from support.world import GATEWAY, START, service, settings

PER_SERVICE = 10
"""Routes of one service."""

SIDES = ("legacy", "service")
_STAGES = (Stage.CANARY, Stage.MIGRATED, Stage.LEGACY)


def many_services(routes: int) -> tuple[ServiceSlos, ...]:
    """Services of ten routes with two SLOs each: a thousand SLOs have five hundred routes."""
    found: list[ServiceSlos] = []
    for number in range(0, routes, PER_SERVICE):
        name = f"service-{number // PER_SERVICE:03d}"
        templates = tuple(f"/api/v1/{name}/things/{{id}}/part-{place}" for place in range(PER_SERVICE))
        one = service(routes=templates, stage=_STAGES[number // PER_SERVICE % len(_STAGES)])
        slos = tuple(replace(slo, name=slo.name.replace("chat", name)) for slo in one.slos[:2])
        found.append(replace(one, service=name, path=f"slo/{name}.yaml", slos=slos, criteria=one.criteria[:2]))
    return tuple(found)


def many_slos(routes: int = 500, ticks: int = 12) -> Engine:
    """An engine after some ticks, six hours apart, in which legacy's share falls and some routes fail."""
    services = many_services(routes)
    source = Scrape(targets=(GATEWAY,), interval=3 * HOUR)
    engine = Engine(services, replace(settings(), source=source))
    templates = [route.template for each in services for route in each.routes]
    table = SeriesTable(tuple(_series(templates)), frozenset({contract.REQUEST_DURATION}))
    values = np.zeros(len(table.series), dtype=np.float64)
    for tick in range(ticks):
        now = START + tick * 6 * HOUR + 5 * SECOND
        values += _increments(table, tick, ticks)
        created = np.zeros(len(values), dtype=np.int64)
        batch = Batch(target=GATEWAY, at=now, up=True, table=table, values=values.copy(), created=created)
        engine.advance(Inputs(batches=(batch,)), now)
    return engine


def _series(templates: list[str]) -> list[Series]:
    found: list[Series] = []
    for template in templates:
        for side in SIDES:
            for code in ("200", "500"):
                labels = (
                    ("http_request_method", "GET"),
                    ("http_response_status_code", code),
                    ("http_route", template),
                    ("served_by", side),
                    ("vantage", "edge"),
                )
                found.append(Series(name=f"{contract.REQUEST_DURATION}_count", labels=labels))
                found += [
                    Series(name=f"{contract.REQUEST_DURATION}_bucket", labels=tuple(sorted((*labels, ("le", bound)))))
                    for bound in (*(str(each) for each in contract.BUCKETS), "+Inf")
                ]
    return found


def _increments(table: SeriesTable, tick: int, ticks: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    found = np.zeros(len(table.series), dtype=np.float64)
    for row, series in enumerate(table.series):
        labels = series.mapping()
        place = row // (len(SIDES) * 2 * (len(contract.BUCKETS) + 2))
        legacy = 1000 - 900 * tick // ticks - place % 7
        requests = legacy if labels["served_by"] == "legacy" else 2000 - legacy
        if labels["http_response_status_code"] == "500":
            requests = place % 5 if labels["served_by"] == "service" else 0
        bound = labels.get("le", "+Inf")
        found[row] = requests if bound == "+Inf" or float(bound) >= 0.1 else requests // 2
    return found
