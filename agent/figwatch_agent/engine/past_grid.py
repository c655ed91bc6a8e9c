"""When the ticks of a replay are: at the samples' own pace, unless somebody says otherwise."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import MINUTE, Duration, Instant
from figwatch_agent.model.past import History

Instants = NDArray[np.int64]

MOST_TICKS = 20_000_000
"""Six hundred years of minutes: more is a mistake in --step or --tick."""


def instants_of(history: History) -> Instants:
    """Every instant at which any series has a sample."""
    taken = {id(track.at): track.at for target in history.targets for track in target.tracks}
    return np.unique(np.concatenate(list(taken.values()))) if taken else np.zeros(0, dtype=np.int64)


def step_of(history: History) -> Duration:
    """How far apart the samples of one scrape target usually are; a minute where none has two."""
    gaps = [
        np.diff(_instants(target.tracks[0].at, *(track.at for track in target.tracks))) for target in history.targets
    ]
    found = np.concatenate(gaps) if gaps else np.zeros(0, dtype=np.int64)
    return max(int(np.median(found)), 1) if len(found) else MINUTE


def grid(instants: Instants, tick: Duration, start: Instant | None, end: Instant | None) -> Instants:
    """Ticks every ``tick`` from ``start`` to the first at or after the last sample, at most to ``end``.

    Without a start they lie where every sample is taken soon after it was made: at the first sample where all are at
    the same pace, else a little behind the latest of a round of scrapes. ValueError where there would be too many.
    """
    instants = instants[
        (instants >= (start or 0)) & (instants <= (end if end is not None else instants[-1:].max(initial=0)))
    ]
    if not len(instants):
        return np.zeros(0, dtype=np.int64)
    first = start if start is not None else int(instants[0]) + _behind(instants, tick)
    last = int(instants[-1]) if end is None else end
    count = max(-(-(last - first) // tick), 0) if end is None else max((last - first) // tick, 0)
    if count >= MOST_TICKS:
        raise ValueError(f"{count} ticks are too many: choose a longer tick, or less time")
    return first + tick * np.arange(count + 1, dtype=np.int64)


def _behind(instants: Instants, tick: Duration) -> Duration:
    """How far behind the first sample the ticks lie, so that none of a round of scrapes falls to the next tick."""
    phases = np.unique((instants - instants[0]) % tick)
    if len(phases) == 1:
        return 0
    gaps = np.diff(np.concatenate([phases, [phases[0] + tick]]))
    widest = int(np.argmax(gaps))
    return int(phases[widest]) + min(int(gaps[widest]) // 2, tick // 10)


def _instants(first: Instants, *rest: Instants) -> Instants:
    taken: Iterable[Instants] = {id(one): one for one in (first, *rest)}.values()
    return np.unique(np.concatenate(list(taken)))
