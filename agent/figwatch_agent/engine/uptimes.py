"""Probes of uptime SLOs: time that was up, down or unknown, and probes counted as events for their tickets."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Instant
from figwatch_agent.engine.catalog import Catalog, Stream
from figwatch_agent.engine.counting import Tally
from figwatch_agent.engine.mapping import SIDES
from figwatch_agent.evaluate.uptime import UptimeMeter
from figwatch_agent.model.batch import ProbeResult
from figwatch_agent.model.slo import Uptime

_PLACE = SIDES.index("service")


class Uptimes:
    """One meter per uptime SLO."""

    def __init__(self, catalog: Catalog) -> None:
        self.streams = [stream for stream in catalog.streams if stream.probed]
        self.meters: dict[str, UptimeMeter] = {}

    def advance(self, probes: Iterable[ProbeResult], tally: Tally, now: Instant) -> NDArray[np.int64]:
        """[up..., down...] milliseconds that the time since the last tick and these probes add; probes are tallied."""
        by_slo: dict[str, list[ProbeResult]] = {}
        for probe in probes:
            by_slo.setdefault(probe.slo, []).append(probe)
        up = np.zeros(len(self.streams), dtype=np.int64)
        down = np.zeros(len(self.streams), dtype=np.int64)
        for place, stream in enumerate(self.streams):
            answers = by_slo.get(stream.slo.name, [])
            up[place], down[place] = self._advance_one(stream, answers, now)
            self._count(stream, answers, int(up[place] + down[place]), tally)
        return np.concatenate([up, down])

    def resume(self, meters: dict[str, UptimeMeter]) -> None:
        """Go on where another process stopped, at the pace that the files ask for now."""
        for stream in self.streams:
            sli, meter = stream.slo.sli, meters.get(stream.key)
            if meter is not None and isinstance(sli, Uptime):
                self.meters[stream.key] = replace(meter, interval=sli.probe.interval)

    def _advance_one(self, stream: Stream, answers: list[ProbeResult], now: Instant) -> tuple[int, int]:
        meter = self.meters.get(stream.key)
        if meter is None:
            sli = stream.slo.sli
            if not isinstance(sli, Uptime):
                raise TypeError(f"{stream.slo.name} has no probe")
            meter = UptimeMeter(interval=sli.probe.interval, start=now, cursor=now)
        up = down = 0
        for answer in answers:
            meter, added = meter.add(answer.at, answer.up)
            up, down = up + added.up_ms, down + added.down_ms
        meter, added = meter.advance(now)
        self.meters[stream.key] = meter
        return up + added.up_ms, down + added.down_ms

    @staticmethod
    def _count(stream: Stream, answers: list[ProbeResult], known: int, tally: Tally) -> None:
        tally.total[stream.index, _PLACE] += len(answers)
        tally.bad[stream.index, _PLACE] += sum(not answer.up for answer in answers)
        tally.covered[stream.index] += max(known, 0)
        if known > 0:
            tally.known[stream.index] = True
        else:
            tally.stream_findings[stream.index] = "no probe was answered lately"
