"""A project of many compact SLOs of two series each, the page that counts them, and the state a month leaves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from figwatch_agent.durations import HOUR, SECOND, Instant
from figwatch_agent.engine import Engine
from figwatch_agent.files.load import Loaded, load
from figwatch_agent.model.batch import Batch
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.outcome import Outcome
from figwatch_agent.model.settings import Scrape
from figwatch_agent.sources.exposition_cache import PageParser
from support.scraped_load import Kept
from support.tally_load import SPENT, pauses

PER_FILE = 100
_BUDGET = 0.001
_USUAL = 10 * SECOND

_CONF = """\
source: {{scrape: {{interval: 1s, targets: ["{target}"]}}}}
state: {{sqlite: figwatch.db, layout: compact}}
web: {{listen: "127.0.0.1:0"}}
"""

_HEAD = """\
version: 1
migration: ai-assistant
service: jobs-{first}
window: 30d
slos:
"""

_SLO = """\
  - name: job-{number}
    sli: {{events: {{total: 'jobs_total{{job="{number}"}}', bad: 'jobs_failed_total{{job="{number}"}}'}}}}
    objective: 99.9%
"""


def write(folder: Path, target: str, count: int) -> Loaded:
    """figwatch.yaml and slo/*.yaml of so many SLOs, counted on the page at ``target``; as loaded."""
    folder.joinpath("slo").mkdir(parents=True)
    config = folder / "figwatch.yaml"
    config.write_text(_CONF.format(target=target), "utf-8")
    for first in range(0, count, PER_FILE):
        slos = (_SLO.format(number=number) for number in range(first, min(first + PER_FILE, count)))
        folder.joinpath("slo", f"jobs-{first}.yaml").write_text(_HEAD.format(first=first) + "".join(slos), "utf-8")
    return load(str(config))


class Jobs:
    """Counters of every SLO, at rates from 0.1 to 1,000 events a second; the same for the same seed."""

    def __init__(self, count: int, seed: int = 1) -> None:
        self._random = np.random.default_rng(seed)
        self._rates = 10 ** self._random.uniform(-1, 3, count)
        self._total = np.zeros(count, dtype=np.int64)
        self._bad = np.zeros(count, dtype=np.int64)

    def work(self, lasts: int) -> None:
        """Count what happens in so many milliseconds."""
        total = self._random.poisson(self._rates * lasts / SECOND)
        self._total += total
        self._bad += self._random.binomial(total, _BUDGET * SPENT)

    def page(self) -> bytes:
        """As a scrape target shows it."""
        lines: list[str] = []
        for name, counts in (("jobs_total", self._total), ("jobs_failed_total", self._bad)):
            lines.append(f"# TYPE {name} counter")
            lines += [f'{name}{{job="{number}"}} {count}' for number, count in enumerate(counts.tolist())]
        return ("\n".join(lines) + "\n").encode()


def a_month(loaded: Loaded, jobs: Jobs, end: Instant) -> Outcome:
    """The whole state that thirty days up to ``end`` leave, as the first Outcome of a new one."""
    assert isinstance(loaded.settings.source, Scrape)
    (target,) = loaded.settings.source.targets
    # The days are told in few ticks, so far apart that a source asked every second would call them gaps.
    engine = Engine(loaded.services, replace(loaded.settings, source=Scrape(targets=(target,), interval=2 * HOUR)))
    parser, kept = PageParser(engine.wanted()), Kept()
    now = end - sum(pauses(_USUAL))
    for pause in (0, *pauses(_USUAL)):
        now += pause
        jobs.work(pause)
        page = parser.parse(jobs.page())
        batch = Batch(target=target, at=now, up=True, table=page.table, values=page.values, created=page.created)
        kept.add(engine.advance(Inputs(batches=(batch,)), now))
    return kept.whole(now)
