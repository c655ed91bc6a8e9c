"""What a live agent scraped, written down as OpenMetrics, replays to the alerts and the ledger that it had.

A live agent has more, and that is left out on both sides: probes with their SLO, and tickets about traffic that stops.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from random import Random

import pytest

from figwatch_agent.commands._history import read_files, read_for, replayed
from figwatch_agent.commands._span import Span
from figwatch_agent.commands.backtest import assumed_readings
from figwatch_agent.durations import format_instant
from figwatch_agent.model.batch import Batch
from figwatch_agent.model.incident import Alert
from figwatch_agent.model.names import Mode
from figwatch_agent.model.outcome import LedgerEntry
from figwatch_agent.model.replayed import Replayed
from figwatch_agent.sources.history import written
from support.engine import compact
from support.world import CHAT, MODELS, World, settings

REGULAR = Span(start=None, end=None, step=1000, tick=None)
AT_SAMPLES = Span(start=None, end=None, step=1000, tick="samples")


class Live:
    """A world whose pages are kept."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.world = World((compact(routes=(CHAT, MODELS)),), settings(mode=Mode.DRY_RUN))
        self.batches: list[Batch] = []

    def run(self, ticks: int, *, bad: int = 0, seconds: float = 1.0) -> None:
        """Users on both sides of one route and on another, ``bad`` of forty failing on the service side."""
        for _ in range(ticks):
            self.world.serve(good=40 - bad, bad=bad, slow=self.random.randint(0, 1))
            self.world.serve(side="legacy", good=self.random.randint(5, 15))
            self.world.serve(route=MODELS, good=self.random.randint(0, 3), gone=self.random.randint(0, 1))
            self.world.tick(seconds)
            self.batches.append(self.world.batch())

    def story(self) -> None:
        """An outage, a failed scrape and a restart within it, and a faint fault afterwards."""
        self.run(self.random.randint(40, 60))
        self.run(self.random.randint(5, 30), bad=self.random.choice((20, 40)))
        self.world.up = False
        self.run(self.random.randint(1, 4), bad=20)
        self.world.up = True
        self.world.restart_gateway()
        self.run(self.random.randint(10, 20), bad=20)
        self.run(self.random.randint(60, 80))
        self.run(self.random.randint(20, 40), bad=2)
        self.run(40)

    def write(self, folder: Path) -> Path:
        """Every page, one after the other, as a history."""
        lines: list[str] = []
        for batch in self.batches:
            for series, value, created in zip(
                batch.table.series, batch.values.tolist(), batch.created.tolist(), strict=True
            ):
                at = f"{batch.at // 1000}.{batch.at % 1000:03d}"
                lines.append(f"{written(series)} {value} {at}")
                if series.name.endswith("_count"):
                    began = written(series).replace("_count{", "_created{", 1)
                    lines.append(f"{began} {created / 1000} {at}")
        file = folder / "live.om"
        file.write_text("\n".join([*lines, "# EOF", ""]), encoding="utf-8")
        return file

    def alerts(self) -> list[Alert]:
        """Of tiers and early lanes, as they were at the end."""
        found = {alert.id: alert for out in self.world.outcomes for case in out.incidents for alert in case.alerts}
        return sorted(
            (alert for alert in found.values() if alert.tier != "signal" and alert.slo != "chat-uptime"),
            key=lambda alert: (alert.fired_at, alert.id),
        )

    def ledger(self) -> list[LedgerEntry]:
        """Every cell at the end."""
        cells = {
            (entry.interval, entry.slo, entry.route, entry.side, entry.incident): entry
            for out in self.world.outcomes
            for entry in out.ledger
            if entry.slo != "chat-uptime"
        }
        return [cells[cell] for cell in sorted(cells)]


def replay_of(live: Live, folder: Path, span: Span) -> Replayed:
    """Of what it wrote down, with the same files."""
    world = live.world
    history = read_for(world.services, world.settings, read_files((live.write(folder),)))
    return replayed(world.services, world.settings, history, span)


def told(alerts: list[Alert]) -> list[str]:
    """For the eye, where something differs."""
    return [f"{format_instant(alert.fired_at)} {alert}" for alert in alerts]


@pytest.mark.parametrize("seed", [1])
def test_a_live_run_and_its_replay_have_the_same_alerts_and_ledger(tmp_path: Path, seed: int) -> None:
    live = Live(seed)
    live.story()
    again = replay_of(live, tmp_path, REGULAR)
    assert len(live.alerts()) > 2
    assert told([one.alert for one in again.alerts]) == told(live.alerts())
    assert list(again.ledger) == live.ledger()


def test_irregular_ticks_replay_at_the_instants_of_the_samples(tmp_path: Path) -> None:
    live = Live(3)
    live.run(40)
    for _ in range(12):
        live.run(1, bad=40, seconds=live.random.choice((0.7, 1.0, 1.013, 1.9)))
    for _ in range(60):
        live.run(1, seconds=live.random.choice((0.7, 1.0, 1.013, 1.9)))
    again = replay_of(live, tmp_path, AT_SAMPLES)
    assert live.alerts()
    assert told([one.alert for one in again.alerts]) == told(live.alerts())
    assert list(again.ledger) == live.ledger()


def test_a_backtest_has_the_alerts_and_the_ledger_of_the_replay(tmp_path: Path) -> None:
    live = Live(4)
    live.run(40)
    live.run(20, bad=40)
    live.run(60)
    world = live.world
    history = read_for(world.services, world.settings, read_files((live.write(tmp_path),)))
    plain = replayed(world.services, world.settings, history, REGULAR)
    readings = partial(assumed_readings, world.settings)
    back = replayed(world.services, world.settings, history, REGULAR, readings=readings)
    assert plain.alerts
    assert [one.alert for one in back.alerts] == [one.alert for one in plain.alerts]
    assert back.ledger == plain.ledger
    assert back.rollbacks
    assert not plain.rollbacks


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 8))
def test_more_live_runs_and_their_replays_are_the_same(tmp_path: Path, seed: int) -> None:
    test_a_live_run_and_its_replay_have_the_same_alerts_and_ledger(tmp_path, seed)
