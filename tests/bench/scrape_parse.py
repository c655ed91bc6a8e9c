"""What a sample costs on a page of 100,000 whose values moved since the last scrape, compared to prometheus_client."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from bench.row import Row
from figwatch_agent.sources.exposition_cache import PageParser

ROUTES: Final = 6_250
BUCKETS: Final = 16
SAMPLES: Final = ROUTES * BUCKETS
YARDSTICK_LINES: Final = 10_000
"""Enough to measure prometheus_client by; a whole page would take it six seconds."""
LIMIT: Final = 1 / 50
SERIES: Final = (
    'http_server_request_duration_seconds_bucket{{http_request_method="GET",http_route="/api/v1/r{route}",'
    'http_response_status_code="200",error_type="",served_by="service",vantage="edge",le="{bound}.0"}} {value}.0\n'
)


def page(scrape: int) -> bytes:
    """The page as it stands at one scrape."""
    lines = (
        SERIES.format(route=route, bound=bound, value=scrape + route * bound)
        for route in range(ROUTES)
        for bound in range(BUCKETS)
    )
    return ("# TYPE http_server_request_duration_seconds histogram\n" + "".join(lines)).encode()


def rows() -> Iterable[Row]:
    """One row."""
    parser = PageParser(lambda _: True)
    spent = [_cpu(partial(parser.parse, page(scrape))) for scrape in range(9)]
    steady = statistics.median(spent[2:]) / SAMPLES
    part = "\n".join(page(0).decode().splitlines()[:YARDSTICK_LINES])
    yardstick = _cpu(lambda: sum(len(family.samples) for family in text_string_to_metric_families(part)))
    yield Row(
        name="a sample of a known page / prometheus_client",
        ratio=steady / (yardstick / YARDSTICK_LINES),
        limit=LIMIT,
        note=f"{1e9 / steady:,.0f} samples/s, first {1e9 * SAMPLES / spent[0]:,.0f}",
    )


def _cpu(task: Callable[[], object]) -> int:
    started = time.process_time_ns()
    task()
    return time.process_time_ns() - started
