"""What one page of the overview costs with a thousand SLOs: CPU time against the twenty milliseconds it may take.

The first page after a tick pays for what all pages of the tick share, so that one is measured; those after it are a
second row. The page in bytes, as JSON, is a third: it must leave room for markup below 100 kB.
"""

from __future__ import annotations

import gc
import json
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from bench.row import Row
from figwatch_agent.durations import SECOND
from figwatch_agent.engine import Engine
from figwatch_agent.model.history import SPANS
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.view import View
from figwatch_agent.report.overview import Ask, Overview
from support.many_slos import many_slos

MOST_MS: Final = 20.0
MOST_KB: Final = 100.0
RUNS: Final = 15
SPAN: Final = SPANS["30d"][0]


def rows() -> Iterator[Row]:
    """First page of a tick, further pages, and the weight of the heaviest page."""
    engine = many_slos()
    spent: list[float] = []
    for _ in range(RUNS):
        now = (engine.at or 0) + 5 * SECOND
        engine.advance(Inputs(), now)  # what the page before it shared is forgotten, and everything is unknown
        view = engine.view(now)
        spent.append(_cpu(partial(_first_page, engine, view)))
    first_ms = statistics.median(spent)
    yield Row(
        name=f"first overview page after a tick, {len(view.streams)} SLOs / 20 ms CPU",
        ratio=first_ms / MOST_MS,
        limit=1.0,
        note=f"{first_ms:.1f} ms",
    )
    overview = Overview(view, engine.shares(SPAN))
    next_ms = statistics.median(_cpu(lambda: _json(overview.document(Ask(page=2)))) for _ in range(RUNS))
    yield Row(name="each further page / 20 ms CPU", ratio=next_ms / MOST_MS, limit=0.5, note=f"{next_ms:.1f} ms")
    pages = range(1, -(-len(view.routes) // 25) + 1)
    heaviest = max(len(_json(overview.document(Ask(page=page)))) for page in pages) / 1000
    yield Row(name="heaviest page as JSON / 100 kB", ratio=heaviest / MOST_KB, limit=1.0, note=f"{heaviest:.0f} kB")


def _first_page(engine: Engine, view: View) -> str:
    return _json(Overview(view, engine.shares(SPAN)).document(Ask()))


def _json(document: dict[str, object]) -> str:
    return json.dumps(document, separators=(",", ":"), allow_nan=False)


def _cpu(work: Callable[[], object]) -> float:
    """CPU milliseconds of one run."""
    gc.collect()
    begun = time.process_time_ns()
    work()
    return (time.process_time_ns() - begun) / 1e6
