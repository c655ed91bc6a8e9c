"""Several probers as one."""

import asyncio
from collections.abc import Sequence

from figwatch_agent.model.batch import ProbeResult, Reading
from figwatch_agent.ports import Prober


class Probers:
    """Runs them side by side; what any was answered is drained together."""

    def __init__(self, probers: Sequence[Prober]) -> None:
        self._probers = tuple(probers)

    async def run(self) -> None:
        """Until cancelled; one that fails ends all."""
        async with asyncio.TaskGroup() as group:
            for prober in self._probers:
                group.create_task(prober.run())

    def drain(self) -> tuple[tuple[ProbeResult, ...], tuple[Reading, ...]]:
        """Everything answered since the last call: one prober after the other, each oldest first."""
        drained = [prober.drain() for prober in self._probers]
        return (
            tuple(probe for probes, _ in drained for probe in probes),
            tuple(reading for _, readings in drained for reading in readings),
        )
