"""Probes of uptime SLOs: time that was up, down or unknown, and probes counted as events for their tickets."""

from collections.abc import Iterable
from dataclasses import replace
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Duration, Instant
from figwatch_agent.engine.catalog import Catalog, Stream
from figwatch_agent.engine.mapping import SIDES
from figwatch_agent.engine.tally import Tally
from figwatch_agent.evaluate.layouts import DEFAULT
from figwatch_agent.evaluate.uptime import HOLD_INTERVALS, UptimeMeter
from figwatch_agent.evaluate.uptime import Uptime as Account
from figwatch_agent.model.batch import ProbeResult
from figwatch_agent.model.slo import Uptime

Counts = NDArray[np.int64]

SLOT: Duration = DEFAULT[0].resolution
"""Windows of uptime start at these boundaries at best: known time is counted in the slot in which it lies."""

_PLACE = SIDES.index("service")


class Uptimes:
    """One meter per uptime SLO."""

    def __init__(self, catalog: Catalog) -> None:
        self.streams = [stream for stream in catalog.streams if stream.probed]
        self.meters: dict[str, UptimeMeter] = {}

    def advance(self, probes: Iterable[ProbeResult], tally: Tally, now: Instant) -> list[tuple[Instant, Counts]]:
        """[up..., down...] milliseconds that the time since the last tick and these probes add; probes are tallied.

        They come by the end of the slot of the ring in which they lie; the last is ``now``.
        """
        by_slo: dict[str, list[ProbeResult]] = {}
        for probe in probes:
            by_slo.setdefault(probe.slo, []).append(probe)
        count = len(self.streams)
        slices: dict[Instant, Counts] = {now: np.zeros(2 * count, dtype=np.int64)}
        for place, stream in enumerate(self.streams):
            answers, known = by_slo.get(stream.slo.name, []), 0
            for at, added in self._advance_one(stream, answers, now):
                counts = slices.setdefault(at, np.zeros(2 * count, dtype=np.int64))
                counts[place] += added.up_ms
                counts[count + place] += added.down_ms
                known += added.up_ms + added.down_ms
            self._count(stream, answers, known, tally)
        return sorted(slices.items(), key=itemgetter(0))

    def resume(self, meters: dict[str, UptimeMeter]) -> None:
        """Go on where another process stopped, at the pace that the files ask for now."""
        for stream in self.streams:
            sli, meter = stream.slo.sli, meters.get(stream.key)
            if meter is not None and isinstance(sli, Uptime):
                self.meters[stream.key] = replace(meter, interval=sli.probe.interval)

    def _advance_one(self, stream: Stream, answers: list[ProbeResult], now: Instant) -> list[tuple[Instant, Account]]:
        meter = self.meters.get(stream.key)
        if meter is None:
            sli = stream.slo.sli
            if not isinstance(sli, Uptime):
                raise TypeError(f"{stream.slo.name} has no probe")
            meter = UptimeMeter(interval=sli.probe.interval, start=now, cursor=now)
        since, found = meter.cursor, []
        for answer in answers:
            for cut in _cuts(meter, answer.at):
                meter, added = meter.advance(cut)
                found.append((min(cut, now), added))
            meter, added = meter.add(answer.at, answer.up)
            # What comes late corrects time whose slots are written: it counts from now on.
            found.append((min(_slot_end(answer.at), now) if answer.at > since else now, added))
        for cut in _cuts(meter, now):
            meter, added = meter.advance(cut)
            found.append((min(cut, now), added))
        self.meters[stream.key], added = meter.advance(now)
        return [*found, (now, added)]

    @staticmethod
    def _count(stream: Stream, answers: list[ProbeResult], known: int, tally: Tally) -> None:
        tally.total[stream.index, _PLACE] += len(answers)
        tally.bad[stream.index, _PLACE] += sum(not answer.up for answer in answers)
        tally.covered[stream.index] += max(known, 0)
        if known > 0:
            tally.known[stream.index] = True
        else:
            tally.stream_findings[stream.index] = "no probe was answered lately"


def _slot_end(at: Instant) -> Instant:
    return -(-at // SLOT) * SLOT


def _cuts(meter: UptimeMeter, until: Instant) -> range:
    """Boundaries of the ring's slots before ``until`` up to which the probe that is held still says something."""
    if meter.held is None:
        return range(0)
    last = _slot_end(meter.held.at + HOLD_INTERVALS * meter.interval)
    return range(_slot_end(meter.cursor + 1), min(last + 1, until), SLOT)
