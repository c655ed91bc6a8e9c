"""``make bench``: measure everything in the registry, print the ratios with their limits, fail over a limit.

``make bench ARGS="check_command"`` measures only the benches named. A new bench is a file beside this one that offers
``rows()``, and a line in the registry.
"""

from __future__ import annotations

import sys
from typing import Final

from bench import (
    aiohttp_request,
    asgi_request,
    backfill,
    check_command,
    engine_memory,
    engine_state,
    engine_tick,
    exported_span,
    fastapi_request,
    flask_request,
    history_load,
    import_library,
    memory,
    overview_html,
    overview_page,
    prometheus_rules,
    replay,
    scrape_parse,
    uvicorn_wrk,
)
from bench.row import Bench, Row

REGISTRY: Final[dict[str, Bench]] = {
    "asgi_request": asgi_request.rows,
    "fastapi_request": fastapi_request.rows,
    "flask_request": flask_request.rows,
    "aiohttp_request": aiohttp_request.rows,
    "exported_span": exported_span.rows,
    "memory": memory.rows,
    "uvicorn_wrk": uvicorn_wrk.rows,
    "import_library": import_library.rows,
    "check_command": check_command.rows,
    "scrape_parse": scrape_parse.rows,
    "prometheus_rules": prometheus_rules.rows,
    "history_load": history_load.rows,
    "replay": replay.rows,
    "engine_tick": engine_tick.rows,
    "engine_state": engine_state.rows,
    "engine_memory": engine_memory.rows,
    "backfill": backfill.rows,
    "overview_page": overview_page.rows,
    "overview_html": overview_html.rows,
}


def line(row: Row) -> str:
    """A row as text."""
    verdict = "ok" if row.passes else "OVER" if not row.fault else f"FAILED: {row.fault}"
    return f"{row.name:<54} {_share(row.ratio):>7} {_share(row.limit):>7}  {row.note:<30} {verdict}"


def _share(ratio: float) -> str:
    """Small ratios as people say them: 1/50."""
    return f"1/{1 / ratio:.3g}" if 0 < ratio < 0.1 else f"{ratio:.3f}"


def measured(name: str) -> list[Row]:
    """Run one bench and print its rows as they come; a bench that breaks is a row that fails."""
    rows: list[Row] = []
    try:
        for row in REGISTRY[name]():
            print(line(row), flush=True)
            rows.append(row)
    except RuntimeError as problem:
        rows.append(Row(name=name, ratio=0.0, limit=0.0, fault=str(problem)))
        print(f"{name:<54} FAILED: {problem}", flush=True)
    return rows


def main(arguments: list[str]) -> int:
    """Measure; returns 1 if a row fails."""
    unknown = [name for name in arguments if name not in REGISTRY]
    if unknown:
        print(f"unknown bench: {', '.join(unknown)}; there are {', '.join(REGISTRY)}", file=sys.stderr)
        return 2
    print(f"{'what / compared to':<54} {'ratio':>7} {'limit':>7}")
    rows = [row for name in arguments or REGISTRY for row in measured(name)]
    return 0 if all(row.passes for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
