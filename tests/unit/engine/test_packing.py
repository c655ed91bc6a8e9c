"""State as bytes: what comes back is what was packed, and nothing that is damaged comes back at all."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from figwatch_agent.engine import Engine
from figwatch_agent.engine.packing import pack, pack_row, unpack, unpack_row
from figwatch_agent.errors import StoreError
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.wire import encode
from support.earlier_state import earlier, is_earlier
from support.engine import Memory, compact
from support.world import World

Integers = NDArray[np.int64]
NOON = 1_790_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Some of everything."""

    name: str
    pairs: tuple[tuple[str, int], ...]
    counts: Integers
    instants: Integers


numbers = st.one_of(
    st.integers(0, 255),
    st.integers(0, 2**16 + 5),
    st.integers(2**32 - 3, 2**32 + 3),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(NOON, NOON + 2**32),
    st.sampled_from([0, -1]),
)
arrays = st.lists(numbers, max_size=8).map(lambda each: np.array(each, dtype=np.int64))


@given(st.builds(Form, name=st.text(), pairs=st.just((("a", 1),)), counts=arrays, instants=arrays))
def test_what_is_packed_comes_back(form: Form) -> None:
    found = unpack(Form, pack(form), "form")
    assert encode(found) == encode(form)
    assert found.counts.dtype == found.instants.dtype == np.int64


@given(arrays)
def test_a_row_comes_back_however_large_its_counts(values: Integers) -> None:
    found = unpack_row(pack_row("columns/ring/budget/1", values), "budget")
    assert found.columns == "columns/ring/budget/1"
    assert found.values().tolist() == values.tolist()


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_byte_that_changed_is_found(place: int, by: int) -> None:
    form = Form(name="x", pairs=(), counts=np.arange(50, dtype=np.int64), instants=np.arange(3, dtype=np.int64))
    for whole, read in (
        (pack(form), lambda data: unpack(Form, data, "form")),
        (pack_row("columns", form.counts), lambda data: unpack_row(data, "budget")),
    ):
        data = bytearray(whole)
        data[1 + place % (len(data) - 1)] ^= by
        with pytest.raises(StoreError, match=r"cannot be read .* start with a new state file"):
            read(bytes(data))


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00FV", b"{", b"[]"])
def test_what_was_never_packed_is_refused_with_its_name(data: bytes) -> None:
    with pytest.raises(StoreError, match=r"^watches of the saved state cannot be read"):
        unpack(Form, data, "watches")


def test_instants_take_four_bytes_among_nothings() -> None:
    instants = np.array([0, *range(NOON, NOON + 999)], dtype=np.int64)
    form = Form(name="", pairs=(), counts=np.full(5000, 7), instants=instants)
    assert len(pack(form)) < 4 * len(instants) + 150


def test_a_state_of_an_earlier_version_goes_on_as_it_would_have() -> None:
    world, memory = World((compact(),)), Memory()
    world.both(30, service_bad=3)
    for outcome in world.outcomes:
        memory.commit(outcome)
    now, old = memory.saved(), earlier(memory.saved())
    assert all(is_earlier(data) for _, data in old.sections)
    assert not any(is_earlier(data) for _, data in now.sections)
    engines = [Engine(world.services, world.settings, saved) for saved in (now, old)]
    for _ in range(20):
        world.serve(good=30, bad=10)
        world.now += 1_000
        inputs = Inputs(batches=(world.batch(),))
        ours, theirs = (engine.advance(inputs, world.now) for engine in engines)
        assert encode(replace(theirs, sections=())) == encode(replace(ours, sections=()))
    assert encode(engines[1].view(world.now)) == encode(engines[0].view(world.now))


def test_a_tick_in_which_nothing_happens_writes_no_watches_and_no_keys() -> None:
    world = World((compact(),))
    world.both(5)
    world.tick()
    names = {name for name, _ in world.tick().sections}
    assert "ring/budget" in names
    assert not {name for name in names if name.startswith(("columns/", "series/"))}
    assert not names & {"watches", "carriers", "coverage", "unknown", "exclusions"}
