"""What a sample of a history costs to load: beside prometheus_client's parser, and against half a million a second."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from bench.row import Row
from figwatch_agent.sources.history_openmetrics import read_history

SERIES: Final = 40
SAMPLES: Final = 10_000
"""Of each series; a week at a minute."""
YARDSTICK: Final = 5_000
"""Samples that prometheus_client is given: all of them would take it half a minute."""
PEER_LIMIT: Final = 1 / 20
MOST_NANOSECONDS: Final = 2_000
"""Of CPU per sample: half a million samples a second."""
NAME: Final = "http_server_request_duration_seconds"
LABELS: Final = (
    'http_request_method="GET",http_route="/api/v1/r{series}",http_response_status_code="200",error_type="",'
    'served_by="service",vantage="edge",instance="10.0.0.1:9464",job="gateway"'
)


def text(samples: int) -> str:
    """A history, series after series, as dumps of Prometheus are."""
    lines = (
        f"{NAME}_total{{{LABELS.format(series=series)}}} {at * (series + 7)} {1_790_000_000 + 60 * at}.000\n"
        for series in range(SERIES)
        for at in range(samples)
    )
    return f"# TYPE {NAME} counter\n{''.join(lines)}# EOF\n"


def rows() -> Iterable[Row]:
    """Two rows."""
    with tempfile.TemporaryDirectory(prefix="figwatch-bench-") as folder:
        file = Path(folder, "history.om")
        file.write_text(text(SAMPLES), encoding="utf-8")
        names = frozenset({f"{NAME}_total"})
        spent = statistics.median(_cpu(lambda: read_history((file,), names, lambda _: True)) for _ in range(3))
    each = spent / (SERIES * SAMPLES)
    part = text(YARDSTICK // SERIES)
    peer = _cpu(lambda: list(text_string_to_metric_families(part))) / YARDSTICK  # type: ignore[no-untyped-call]  # it has no types
    note = f"{1e9 / each:,.0f} samples/s"
    yield Row(name="a sample of a history / prometheus_client", ratio=each / peer, limit=PEER_LIMIT, note=note)
    yield Row(name="a sample of a history / 2 us of CPU", ratio=each / MOST_NANOSECONDS, limit=1.0, note=note)


def _cpu(task: Callable[[], object]) -> int:
    started = time.process_time_ns()
    task()
    return time.process_time_ns() - started
