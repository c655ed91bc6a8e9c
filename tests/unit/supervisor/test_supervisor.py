"""Parts run until told to stop; one that ends by itself ends them all."""

import asyncio

import pytest

from figwatch_agent.supervisor import Part, PartEnded, supervise


class Recorded:
    """A part that notes how it ended."""

    def __init__(self, name: str, log: list[str], error: Exception | None = None, ends: bool = False) -> None:
        self.name = name
        self.log = log
        self.error = error
        self.ends = ends

    async def run(self) -> None:
        try:
            if self.error is not None:
                raise self.error
            if self.ends:
                return
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.log.append(self.name)
            raise

    def part(self) -> Part:
        return Part(name=self.name, run=self.run)


async def test_a_stop_cancels_every_part_last_started_first() -> None:
    log: list[str] = []
    stop = asyncio.Event()
    running = asyncio.create_task(supervise([Recorded(name, log).part() for name in ("a", "b", "c")], stop))
    await asyncio.sleep(0)
    stop.set()
    await running
    assert log == ["c", "b", "a"]


async def test_a_part_that_fails_ends_the_agent_and_is_named() -> None:
    log: list[str] = []
    parts = [Recorded("a", log).part(), Recorded("b", log, error=RuntimeError("planted")).part()]
    with pytest.raises(PartEnded, match="b failed: RuntimeError: planted"):
        await supervise(parts, asyncio.Event())
    assert log == ["a"]


async def test_a_part_that_ends_by_itself_ends_the_agent() -> None:
    with pytest.raises(PartEnded, match="a ended by itself"):
        await supervise([Recorded("a", [], ends=True).part()], asyncio.Event())
