"""Everything that reaches the engine in one tick, and nothing else does."""

from dataclasses import dataclass

from figwatch_agent.durations import Duration
from figwatch_agent.model.batch import Batch, Counted, ProbeResult, Reading
from figwatch_agent.model.command import Command
from figwatch_agent.model.effect import Effect
from figwatch_agent.model.missing import Past


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inputs:
    """Inputs of one tick. Commands and effects stay in the inbox until the Outcome that consumed them is committed."""

    batches: tuple[Batch, ...] = ()
    probes: tuple[ProbeResult, ...] = ()
    readings: tuple[Reading, ...] = ()
    commands: tuple[Command, ...] = ()
    effects: tuple[Effect, ...] = ()
    kill_switch: bool = False  # the file exists
    store_healthy: bool = True  # the last commit went through
    wall_step: Duration = 0  # how far the wall clock moved away from the agent's
    restarted: bool = False  # first tick of a process that found earlier state
    counted: tuple[Counted, ...] = ()  # from sources that count by themselves
    past: tuple[Past, ...] = ()  # answers that were not read in time
