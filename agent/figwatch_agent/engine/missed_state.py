"""Silences that wait, as the state keeps them: a kill while they are told leaves those of the last commit."""

from dataclasses import dataclass

import numpy as np

from figwatch_agent.durations import Duration, Instant
from figwatch_agent.engine.forms import CounterState, SeriesState
from figwatch_agent.engine.missed import Missed, Silence
from figwatch_agent.evaluate.increases import CounterMemory
from figwatch_agent.model.batch import Batch, SeriesTable


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceState:
    """One: the values before and after it."""

    target: str
    told_to: Instant
    lag: Duration
    before: CounterState
    shown: SeriesState
    after: CounterState
    shown_after: SeriesState


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedState:
    """All of them, oldest first."""

    silences: tuple[SilenceState, ...]


def missed_state(missed: Missed) -> MissedState:
    """To be written where the version of ``missed`` changed."""
    return MissedState(silences=tuple(_state(each) for each in missed.silences))


def restore_missed(missed: Missed, state: MissedState) -> None:
    """Go on waiting for them."""
    missed.silences = [_silence(each) for each in state.silences]


def _state(silence: Silence) -> SilenceState:
    memory, final = silence.memory, silence.final
    return SilenceState(
        target=silence.target,
        told_to=silence.told_to,
        lag=silence.lag,
        before=CounterState(
            at=memory.at, answered=memory.answered, rate=memory.rate, last=memory.last, created=memory.created
        ),
        shown=SeriesState(
            series=memory.table.series, families=memory.table.families, vanished=tuple(memory.vanished.items())
        ),
        after=CounterState(
            at=final.at, answered=True, rate=0.0, last=final.values.astype(np.int64), created=final.created
        ),
        shown_after=SeriesState(series=final.table.series, families=final.table.families, vanished=()),
    )


def _silence(state: SilenceState) -> Silence:
    before, shown, after, shown_after = state.before, state.shown, state.after, state.shown_after
    memory = CounterMemory(
        at=before.at,
        answered=before.answered,
        rate=before.rate,
        table=SeriesTable(shown.series, shown.families),
        last=before.last,
        created=before.created,
        vanished=dict(shown.vanished),
    )
    final = Batch(
        target=state.target,
        at=after.at or 0,
        up=True,
        table=SeriesTable(shown_after.series, shown_after.families),
        values=after.last.astype(np.float64),
        created=after.created,
    )
    return Silence(state.target, state.told_to, state.lag, memory, final)
