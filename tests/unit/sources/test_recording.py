"""A recording gives back what was recorded, byte for byte, whatever happened to its writer."""

import errno
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from figwatch_agent.model.batch import EMPTY_TABLE, Batch, Counted, ProbeResult, Reading, Series, SeriesTable, down
from figwatch_agent.model.command import Command, CommandKind
from figwatch_agent.model.effect import DeliveryEffect, DeliveryState, RollbackEffect, RollbackState
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.outcome import Outcome, RingRow, Transition, TransitionKind
from figwatch_agent.model.wire import encode
from figwatch_agent.sources import recording as module
from figwatch_agent.sources.recording import RecordedRuns, Recording, RecordingDamaged, read_recording

TABLE = SeriesTable((Series(name="a_total", labels=(("b", 'é"\n\\'),)),), frozenset({"a", "z"}))
OTHER = SeriesTable((Series(name="b_total", labels=()),), frozenset({"b"}))


def batch(table: SeriesTable, value: float) -> Batch:
    return Batch(
        target="http://127.0.0.1:1/metrics",
        at=1_700_000_000_123,
        up=True,
        table=table,
        values=np.array([value], dtype=np.float64),
        created=np.array([1_600_000_000_000], dtype=np.int64),
    )


EVERYTHING = Inputs(
    batches=(batch(TABLE, 0.1 + 0.2), down("http://127.0.0.1:2/metrics", 5, "refused"), batch(OTHER, 2.0**60)),
    probes=(ProbeResult(slo="s", at=1, up=False, detail="refused"),),
    readings=(Reading(name="p/gateway", at=2, ok=True, detail="200 in 1 ms", value='{"to":"half \ud800"}'),),
    commands=(
        Command(id="c", kind=CommandKind.SILENCE, at=3, actor="ann", origin="cli", subject="/x", data=(("k", "v"),)),
    ),
    effects=(
        RollbackEffect(id="r", at=4, rollback="x", incident="i", state=RollbackState.DONE),
        DeliveryEffect(
            id="d", at=5, row="k", incident="i", receiver="on", kind="trigger", state=DeliveryState.DEAD, attempts=3
        ),
    ),
    kill_switch=True,
    store_healthy=False,
    wall_step=-3_600_000,
    restarted=True,
)
RICH = Outcome(
    sequence=9,
    at=6,
    transitions=(Transition(at=6, kind=TransitionKind.FINDING, subject="x", text='line\nend "é" {"sha256":"'),),
    ring_rows=(RingRow(ring="edge", level=0, slot=1, boundary=2, data=b"\x00\xff"),),
    sections=(("alerts", b"\n{}"),),
)


def outcome(sequence: int) -> Outcome:
    return Outcome(sequence=sequence, at=sequence)


def recorded(folder: Path, *ticks: Inputs) -> Path:
    recording = Recording(folder)
    for number, inputs in enumerate(ticks, start=1):
        recording.record(inputs, 1_000 * number, outcome(number))
    recording.close()
    (path,) = folder.iterdir()
    return path


def test_inputs_instant_and_outcome_come_back_as_they_were(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.record(EVERYTHING, 1_700_000_000_500, RICH)
    recording.close()

    ((inputs, now, text),) = read_recording(tmp_path)
    assert encode(inputs) == encode(EVERYTHING)
    assert now == 1_700_000_000_500
    assert text == encode(RICH)


def test_tables_that_were_one_object_are_one_object_again(tmp_path: Path) -> None:
    twin = SeriesTable(TABLE.series, TABLE.families)
    recorded(
        tmp_path,
        Inputs(batches=(batch(TABLE, 1.0), batch(OTHER, 1.0))),
        Inputs(),
        Inputs(batches=(batch(TABLE, 2.0), batch(twin, 2.0), down("x", 1, "timeout"))),
    )
    ticks = [inputs.batches for inputs, _, _ in read_recording(tmp_path)]

    assert ticks[0][0].table is ticks[2][0].table is ticks[2][1].table
    assert ticks[0][1].table is not ticks[0][0].table
    assert ticks[2][2].table is EMPTY_TABLE


def test_a_table_is_written_once(tmp_path: Path) -> None:
    path = recorded(tmp_path, *(Inputs(batches=(batch(TABLE, float(n)),)) for n in range(20)))

    assert path.read_text("utf-8").count("a_total") == 1


def test_every_line_is_a_json_object(tmp_path: Path) -> None:
    path = recorded(tmp_path, Inputs(batches=(batch(TABLE, 1.0),)), Inputs())

    assert [sorted(json.loads(line)) for line in path.read_bytes().splitlines()] == [
        ["digest", "sha256", "table"],
        ["inputs", "now", "outcome", "sha256"],
        ["inputs", "now", "outcome", "sha256"],
    ]


def test_a_tick_can_be_read_as_soon_as_it_is_recorded(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.record(Inputs(), 1, outcome(1))

    assert [now for _, now, _ in read_recording(tmp_path)] == [1]
    recording.close()


def test_runs_are_read_in_the_order_they_began(tmp_path: Path) -> None:
    for now in (999, 10_000, 10_000, 2_000_000_000_000):
        recording = Recording(tmp_path)
        recording.record(Inputs(), now, outcome(1))
        recording.close()

    assert [now for _, now, _ in read_recording(tmp_path)] == [999, 10_000, 10_000, 2_000_000_000_000]


@pytest.mark.parametrize("lost", [1, 2, 40, 200])
def test_a_last_line_that_a_kill_cut_off_is_left_out_and_said(tmp_path: Path, lost: int) -> None:
    path = recorded(tmp_path, Inputs(batches=(batch(TABLE, 1.0),)), Inputs(), Inputs())
    path.write_bytes(path.read_bytes()[:-lost])
    runs = RecordedRuns(tmp_path)

    assert [tick.now for tick in runs] == [1_000, 2_000]
    assert len(runs.notices) == 1
    assert "cut off" in runs.notices[0]


@pytest.mark.parametrize("line", [0, 1, 2])
@pytest.mark.parametrize("place", [3, 30, -10, -70])
def test_any_other_damage_is_an_error_that_names_the_line(tmp_path: Path, line: int, place: int) -> None:
    path = recorded(tmp_path, Inputs(batches=(batch(TABLE, 1.0),)), Inputs())
    lines = path.read_bytes().splitlines(keepends=True)
    damaged = bytearray(lines[line])
    damaged[place] ^= 1
    path.write_bytes(b"".join([*lines[:line], bytes(damaged), *lines[line + 1 :]]))

    with pytest.raises(RecordingDamaged, match=rf"jsonl:{line + 1}: the line is damaged"):
        list(read_recording(tmp_path))


def test_a_missing_table_is_an_error(tmp_path: Path) -> None:
    path = recorded(tmp_path, Inputs(batches=(batch(TABLE, 1.0),)))
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[1])

    with pytest.raises(RecordingDamaged, match="table"):
        list(read_recording(tmp_path))


def test_a_folder_without_a_recording_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecordingDamaged, match="holds no recording"):
        list(read_recording(tmp_path))


def test_a_folder_that_does_not_exist_yet_is_made(tmp_path: Path) -> None:
    recorded(tmp_path / "new" / "folder", Inputs())


def test_a_full_disk_ends_the_recording_and_not_the_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = Recording(tmp_path)
    recording.record(Inputs(), 1, outcome(1))

    def full(*_: object) -> bytes:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module, "_line", full)
        recording.record(Inputs(), 2, outcome(2))
    recording.record(Inputs(), 3, outcome(3))

    assert "No space left" in recording.fault
    assert [now for _, now, _ in read_recording(tmp_path)] == [1]


def test_an_attempt_to_record_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="str"):
        Recording(tmp_path).record("inputs", 1, outcome(1))


def test_values_that_came_down_to_nothing_are_recorded_too(tmp_path: Path) -> None:
    recorded(tmp_path, Inputs(batches=(replace(batch(EMPTY_TABLE, 0.0), values=np.empty(0)),)))

    ((inputs, _, _),) = read_recording(tmp_path)
    assert len(inputs.batches[0].values) == 0


def test_what_a_source_counted_comes_back_with_its_keys_as_one_object(tmp_path: Path) -> None:
    keys, ones = ("reads ", "writes "), np.array([1, 2], dtype=np.int64)
    counted = Counted(keys=keys, at=1, total=ones, bad=0 * ones, covered=60_000 * ones)
    recorded(tmp_path, Inputs(counted=(counted,)), Inputs(), Inputs(counted=(counted,)))
    ticks = [inputs for inputs, _, _ in read_recording(tmp_path)]

    assert encode(ticks[2]) == encode(Inputs(counted=(counted,)))
    assert ticks[0].counted[0].keys is ticks[2].counted[0].keys
