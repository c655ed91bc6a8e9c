"""What an SLO costs per evaluation: figwatch, ingestion included, beside the real Prometheus with 30 days of data.

Prometheus runs what its users run for multiwindow alerts: error ratios of eight windows recorded, and page and ticket
alerts over them, for SLOs of two series scraped every 15 s. Its CPU is that of its process while its own rule manager
evaluates; scraping costs it nothing here, since the data was loaded before. figwatch parses the page, counts, decides
and makes the rows that are stored. The second comparison is what a look costs a Prometheus that figwatch reads from,
compared to asking it for 30 days.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from fractions import Fraction
from pathlib import Path
from typing import Final

import aiohttp

from bench.row import Row
from figwatch_agent.durations import DAY, SECOND
from figwatch_agent.engine import Engine
from figwatch_agent.model.batch import Batch
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.selector import Matcher, Selector
from figwatch_agent.model.slo import Events, ServiceSlos, Slo
from figwatch_agent.sources.exposition_cache import PageParser
from figwatch_agent.sources.prometheus_queries import over, queries, selectors_of
from support.parts import program
from support.real_prometheus import free_port
from support.world import TIERS, settings

SLOS: Final = 3
"""With 30 days of data on the Prometheus side: more take longer to load and cost the same each."""
OURS: Final = 1_000
STEP: Final = 15
SPAN: Final = 30 * 24 * 3600
WINDOWS: Final = ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")
EVALUATIONS: Final = 20
LIMIT: Final = 1 / 1000
LOOK_LIMIT: Final = 1 / 30
TICKS: Final = os.sysconf("SC_CLK_TCK")


def rows() -> Iterable[Row]:
    """Two rows."""
    ours = figwatch_us()
    with tempfile.TemporaryDirectory(prefix="figwatch-bench-") as name:
        folder = Path(name)
        load(folder)
        evaluation, look, month = asyncio.run(prometheus_us(folder))
    yield Row(
        name="an SLO's evaluation, figwatch / Prometheus",
        ratio=ours / evaluation,
        limit=LIMIT,
        note=f"{ours:.1f} us / {evaluation / 1000:.1f} ms",
    )
    yield Row(
        name="Prometheus: an SLO's look / asking for 30 days",
        ratio=look / month,
        limit=LOOK_LIMIT,
        note=f"{look / 1000:.2f} ms / {month / 1000:.2f} ms",
    )


def services(count: int) -> tuple[ServiceSlos, ...]:
    """SLOs of two series each."""
    slos = tuple(
        Slo(
            name=f"slo-{n}",
            sli=Events(total=(_selector("total", n),), bad=(_selector("bad", n),)),
            objective=Fraction(999, 1000),
            tiers=TIERS,
        )
        for n in range(count)
    )
    return (
        ServiceSlos(path="slo/x.yaml", migration="m", service="x", window=30 * DAY, routes=(), slos=slos, criteria=()),
    )


def figwatch_us() -> float:
    """CPU microseconds of one SLO's evaluation in steady state: parse, count, decide, make what is stored."""
    engine = Engine(services(OURS), settings(interval=STEP * SECOND))
    parser, start, spent = PageParser(lambda _: True), 1_790_000_000_000, []
    for tick in range(40):
        now = start + tick * STEP * SECOND
        page = _page(OURS, tick)
        began = time.process_time_ns()
        parsed = parser.parse(page, openmetrics=False)
        batch = Batch(
            target="http://x/metrics", at=now, up=True, table=parsed.table, values=parsed.values, created=parsed.created
        )
        engine.advance(Inputs(batches=(batch,)), now)
        spent.append(time.process_time_ns() - began)
    return statistics.median(spent[10:]) / 1000 / OURS


def load(folder: Path) -> None:
    """30 days of both series of every SLO, as blocks that end now."""
    end = int(time.time())
    file = folder / "history.om"
    with file.open("w", encoding="ascii") as out:
        for metric, each in (("bad", 1), ("total", 900)):
            out.write(f"# TYPE {metric} counter\n")
            for n in range(SLOS):
                head = f'{metric}_total{{slo="{n}"}} '
                out.writelines(
                    f"{head}{place * each + place % 7} {end - SPAN + place * STEP}\n" for place in range(SPAN // STEP)
                )
        out.write("# EOF\n")
    command = [str(program("promtool")), "tsdb", "create-blocks-from", "--max-block-duration=768h", "openmetrics"]
    command += [str(file), str(folder / "data")]  # blocks of two hours would read the file 360 times
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    file.unlink()


async def prometheus_us(folder: Path) -> tuple[float, float, float]:
    """CPU microseconds of (one SLO's rules, one SLO's share of a look, one SLO's question for 30 days)."""
    (folder / "rules.yml").write_text(json.dumps({"groups": [_group(n) for n in range(SLOS)]}), "utf-8")
    async with _running(folder) as (url, pid), aiohttp.ClientSession() as session:
        before, spent = await _evaluated(session, url, SLOS), cpu(pid)
        done = await _evaluated(session, url, before + SLOS * EVALUATIONS) - before
        evaluation = (cpu(pid) - spent) / done
        async with session.post(f"{url}/-/reload") as answer:  # without rules the rest is measured alone
            answer.raise_for_status()
        look = over(queries(selectors_of(services(SLOS)))[0], 75 * SECOND)
        looked = await _cost(session, url, pid, [look], 200) / SLOS
        month = [f'sum(increase({metric}_total{{slo="{n}"}}[30d]))' for n in range(SLOS) for metric in ("bad", "total")]
        asked = await _cost(session, url, pid, month, 10) / SLOS
    return evaluation, looked, asked


def cpu(pid: int) -> float:
    """CPU microseconds that a process has used."""
    words = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICKS * 1e6


def _selector(metric: str, n: int) -> Selector:
    return Selector(metric=f"{metric}_total", matchers=(Matcher(label="slo", operator="=", value=str(n)),))


def _page(count: int, tick: int) -> bytes:
    lines = [
        f'{m}_total{{slo="{n}"}} {tick * each}\n' for m, each in (("bad", 1), ("total", 900)) for n in range(count)
    ]
    return "".join(lines).encode()


def _group(n: int) -> dict[str, object]:
    def ratio(window: str) -> str:
        return f'sum(rate(bad_total{{slo="{n}"}}[{window}])) / sum(rate(total_total{{slo="{n}"}}[{window}]))'

    def burning(factor: float, window: str) -> str:
        return f'slo:sli_error:ratio_rate{window}{{slo="{n}"}} > {factor} * 0.001'

    def alert(*tiers: tuple[float, str, str]) -> str:
        return " or ".join(f"({burning(f, long)} and {burning(f, short)})" for f, long, short in tiers)

    recorded = [
        {"record": f"slo:sli_error:ratio_rate{window}", "expr": ratio(window), "labels": {"slo": str(n)}}
        for window in WINDOWS
    ]
    alerts = [
        {"alert": "Page", "expr": alert((14.4, "1h", "5m"), (6, "6h", "30m"))},
        {"alert": "Ticket", "expr": alert((3, "1d", "2h"), (1, "3d", "6h"))},
    ]
    return {"name": f"slo-{n}", "interval": "1s", "rules": [*recorded, *alerts]}


async def _evaluated(session: aiohttp.ClientSession, url: str, least: int) -> int:
    """How often rules of an SLO were evaluated, once it is at least so often."""
    while (done := await _iterations(session, url)) < least:  # noqa: ASYNC110 (another process: there is no event)
        await asyncio.sleep(0.1)
    return done


async def _iterations(session: aiohttp.ClientSession, url: str) -> int:
    async with session.get(f"{url}/metrics") as answer:
        text = await answer.text()
    found = [line for line in text.splitlines() if line.startswith("prometheus_rule_group_iterations_total{")]
    missed = [line for line in text.splitlines() if line.startswith("prometheus_rule_group_iterations_missed_total{")]
    return sum(int(float(line.split()[-1])) for line in found) - sum(int(float(line.split()[-1])) for line in missed)


async def _cost(session: aiohttp.ClientSession, url: str, pid: int, asked: list[str], times: int) -> float:
    """CPU microseconds of asking all of these once."""
    before = cpu(pid)
    for _ in range(times):
        for query in asked:
            async with session.post(f"{url}/api/v1/query", data={"query": query, "time": str(time.time())}) as answer:
                document = await answer.json()
                if document["status"] != "success" or not document["data"]["result"]:
                    raise RuntimeError(f"Prometheus found nothing for {query}")
    return (cpu(pid) - before) / times


@asynccontextmanager
async def _running(folder: Path) -> AsyncIterator[tuple[str, int]]:
    """(URL, process id) of a Prometheus over the folder's data; a reload takes its rules away."""
    port = free_port()
    (folder / "prometheus.yml").write_text(json.dumps({"rule_files": ["rules.yml"]}), "utf-8")
    process = await asyncio.create_subprocess_exec(
        str(program("prometheus")), "--config.file=prometheus.yml", f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=90d", f"--web.listen-address=127.0.0.1:{port}", "--web.enable-lifecycle",
        "--log.level=error", cwd=folder,
    )  # fmt: skip
    try:
        async with aiohttp.ClientSession() as session, asyncio.timeout(60):
            while not await _ready(session, port):  # noqa: ASYNC110 (another process: there is no event)
                await asyncio.sleep(0.1)
        (folder / "prometheus.yml").write_text("{}", "utf-8")
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        await process.wait()


async def _ready(session: aiohttp.ClientSession, port: int) -> bool:
    try:
        async with session.get(f"http://127.0.0.1:{port}/-/ready") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False
