"""The in-memory source."""

from figwatch_agent.model.batch import down
from figwatch_agent.ports import Source
from figwatch_agent.sources.memory import MemorySource


async def test_batches_are_handed_out_in_order_and_then_there_are_none() -> None:
    first, second = (down("a", 1, "refused"),), (down("b", 2, "timeout"),)
    memory = MemorySource([first, second])
    source: Source = memory

    assert [await source.collect(now) for now in (10, 20, 30)] == [first, second, ()]
    await source.close()
    assert (memory.collected, memory.closed) == ([10, 20, 30], True)
