"""Many workers, one folder: whoever is asked answers for all, exactly, whoever dies and wherever."""

import errno
import logging
import math
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from figwatch import archive
from figwatch.cells import OVERFLOW_VALUE, Cells, Definition
from figwatch.errors import DefinitionError
from figwatch.exposition import Page
from figwatch.mapped import Mapped
from figwatch.telemetry import Telemetry
from support.folders import quick_folder
from support.worker_stories import STORIES, brief, check, tell
from support.workers import COUNTER, die, files, ignore, killed, things, waits, worker

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")  # the children count, no more


@pytest.fixture
def folder() -> Iterator[Path]:
    with quick_folder() as folder:
        yield folder / "workers"


def test_any_worker_answers_for_all(folder: Path) -> None:
    one, two = worker(folder), worker(folder)
    one.add_one("a")
    one.add_one("b")
    two.add_one("b")
    for asked in (one, two):
        assert {reading.labels: reading.counts for reading in asked.look()["waits_seconds"]} == {
            ("a",): (0, 1, 0, 0),
            ("b",): (0, 2, 0, 0),
        }
    assert things({"things_total": one.things.readings()}) == 2, "a worker knows what it counted itself"


@pytest.mark.parametrize("story", STORIES)
def test_killed_in_many_places_and_fifty_times_nothing_is_lost_and_nothing_counted_twice(
    story: str, folder: Path
) -> None:
    tell(story, folder, part=20)


@pytest.mark.slow
@pytest.mark.parametrize("story", STORIES)
def test_killed_anywhere_and_a_thousand_times_nothing_is_lost_and_nothing_counted_twice(
    story: str, folder: Path
) -> None:
    tell(story, folder, part=1)


def test_a_number_never_goes_back_while_workers_write_die_and_are_folded(folder: Path) -> None:
    witness = worker(folder)
    chance = Random(4)
    children: list[int] = []
    last: dict[tuple[str, tuple[str, ...]], tuple[int, float]] = {}
    until = time.monotonic() + 60
    rounds = 0
    while rounds < 60 and time.monotonic() < until:
        while len(children) < 4:
            child = os.fork()
            if not child:
                mine = worker(folder)
                while True:
                    mine.add_one(chance.choice("abcdef"))
                    mine.waits.cell(("uneven",)).observe(0.1)
            children.append(child)
        for name, readings in witness.look().items():
            for reading in readings:
                now = (sum(reading.counts), reading.total)
                before = last.get((name, reading.labels), (0, 0.0))
                assert now[0] >= before[0], (name, reading)
                assert now[1] >= before[1], (name, reading)
                last[name, reading.labels] = now
        rounds += 1
        if rounds % 3 == 0:
            child = children.pop(0)
            os.kill(child, 9)
            os.waitpid(child, 0)
    for child in children:
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert rounds == 60
    assert sum(count for count, _ in last.values()) > 10_000


def test_sums_do_not_depend_on_who_was_folded_when(folder: Path) -> None:
    witness = worker(folder)
    values = [2.0**53, 1.0, 1.0, 0.1, 1e-9, 1.0]
    for value in values:

        def life(value: float = value) -> None:
            worker(folder).waits.cell(("a",)).observe(value)
            die()

        assert killed(life)
    witness.waits.cell(("a",)).observe(0.1)
    (reading,) = witness.look()["waits_seconds"]
    assert reading.total == math.fsum([*values, 0.1])


@pytest.mark.parametrize("before", [True, False])
def test_a_fold_in_the_middle_of_a_look_changes_nothing(
    before: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = worker(folder)
    witness.add_one()
    brief(folder)
    check(witness, 2)

    def files_while_somebody_folds(place: Path) -> list[str]:
        listed = archive.files_in(place)
        archive.fold(place)
        return archive.files_in(place) if before else listed

    brief(folder)
    monkeypatch.setattr("figwatch.mapped.fold", lambda *_arguments, **_options: None)
    monkeypatch.setattr("figwatch.mapped.files_in", files_while_somebody_folds)
    check(witness, 3)


def test_a_new_start_in_an_old_folder_goes_on_counting(folder: Path) -> None:
    brief(folder, counts=5)
    brief(folder, counts=2)
    check(worker(folder), 7)


def test_a_series_was_born_when_the_first_worker_met_it(folder: Path) -> None:
    old = Cells(Mapped(folder, clock=lambda: 100.0))
    new = Cells(Mapped(folder, clock=lambda: 200.0))
    for shared in (new, old):
        shared.counter(COUNTER, cap=9, folded=ignore).cell(("a",)).add()
    ((_, (reading,)),) = new.snapshot()
    assert reading.created == 100.0
    assert reading.counts == (2,)


def test_what_only_another_worker_declared_is_shown_too(folder: Path) -> None:
    other, asked = worker(folder), Cells(Mapped(folder))
    other.add_one()
    assert [definition for definition, _ in asked.snapshot()] == [other.things.definition, other.waits.definition]


def test_workers_that_disagree_about_buckets_are_told_and_not_mixed(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mine, changed = worker(folder), Cells(Mapped(folder))
    mine.add_one()
    other = mine.waits.definition._replace(bounds=(7.0,))
    changed.histogram(other, cap=9, folded=ignore).cell(("a",)).observe(1)
    with caplog.at_level(logging.ERROR):
        assert waits(mine.look()) == (1, 0.125)
        assert dict(changed.snapshot())[other][0].counts == (1, 0)
    assert "waits_seconds" in caplog.text


def test_a_cap_holds_over_all_workers_and_all_that_ever_were(folder: Path) -> None:
    for number in range(6):

        def life(kind: str = str(number)) -> None:
            worker(folder, cap=3).add_one(kind)
            die()

        assert killed(life)
    one, two = worker(folder, cap=3), worker(folder, cap=3)
    one.add_one("new")
    two.add_one("0")
    look = two.look()
    assert {reading.labels[0] for reading in look["things_total"]} == {"0", "1", "2", OVERFLOW_VALUE}
    assert things(look) == 8


def test_labels_of_any_text_and_families_of_any_size_come_back(folder: Path) -> None:
    wide = Definition(
        name="sizes_bytes", help="Sizes: ü\n", kind="histogram", unit="bytes", labels=("a", "b"),
        bounds=tuple(float(bound) for bound in range(10_000)),
    )  # fmt: skip
    one, two = Cells(Mapped(folder)), Cells(Mapped(folder))
    odd = ('"\\\n\ud800', "é" * 50_000)
    one.histogram(wide, cap=9, folded=ignore).cell(odd).observe(5_000)
    for index in range(300):
        one.counter(COUNTER, cap=999, folded=ignore).cell((str(index),)).add(index)
    look = {definition.name: readings for definition, readings in two.snapshot()}
    ((labels, counts, total, _),) = look["sizes_bytes"]
    assert (labels, counts.index(1), total) == (odd, 5_000, 5_000.0)
    assert [reading.counts[0] for reading in look["things_total"]] == list(range(300))


def test_a_full_disk_costs_the_others_the_new_series_and_nobody_a_request(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    mine, other = worker(folder), worker(folder)
    mine.add_one("before")

    def full(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr("figwatch.cellfile.os.pwrite", full)
    for index in range(1_000):  # more than the rest of a segment holds
        mine.add_one(str(index))
    assert things(mine.look()) == 1_001
    assert 1 < things(other.look()) < 1_001
    assert caplog.text.count("no room") == 1


def test_a_folder_that_cannot_be_used_is_said_at_the_start(folder: Path) -> None:
    folder.write_text("a file")
    with pytest.raises(DefinitionError, match="PROMETHEUS_MULTIPROC_DIR"):
        Mapped(folder)


def test_after_a_power_loss_damaged_files_are_put_aside_and_said(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        brief(folder)
    (name,) = files(folder)
    content = bytearray((folder / name).read_bytes())
    content[64:68] = b"\xff\xff\xff\xff"
    (folder / name).write_bytes(content)
    (folder / archive.ARCHIVE).write_bytes(b"")
    mine = worker(folder)
    mine.add_one()
    check(mine, 1)
    assert sorted(path.name for path in folder.glob("*.damaged")) == sorted(
        [f"{name}.damaged", f"{archive.ARCHIVE}.damaged"]
    )
    assert caplog.text.count("are lost") == 2


def test_files_of_others_in_the_folder_are_left_alone(folder: Path) -> None:
    folder.mkdir()
    (folder / "counter_12.db").write_bytes(b"x")
    brief(folder)
    worker(folder)
    assert (folder / "counter_12.db").read_bytes() == b"x"


def test_a_forked_worker_counts_from_zero_into_a_file_of_its_own(folder: Path) -> None:
    parent = worker(folder)
    parent.add_one()
    cell = parent.things.cell(("a",))  # somebody keeps it over the fork

    def life() -> None:
        parent.cells.forked()
        cell.add()
        parent.add_one()
        own = {"things_total": parent.things.readings()}
        if things(own) == 2 and things(parent.look()) == 3:
            die()

    assert killed(life)
    assert things(parent.look()) == 3
    assert len(files(folder)) == 1, "the child's file was folded, the parent's was not"


def test_a_child_forked_while_threads_of_its_parent_hold_locks_counts_all_the_same(folder: Path) -> None:
    telemetry = Telemetry(Cells(Mapped(folder)))
    things = telemetry.cells.counter(COUNTER, cap=99, folded=ignore)
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            for kind in range(90):
                things.cell((str(kind),)).add()
            telemetry.cells.snapshot()

    threads = [threading.Thread(target=busy) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):

            def life() -> None:
                signal.alarm(20)  # a lock that nobody will ever release ends the child in another way
                telemetry.forked()
                things.cell(("new",)).add()
                telemetry.cells.snapshot()
                die()

            assert killed(life)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    look = {definition.name: readings for definition, readings in telemetry.cells.snapshot()}
    assert {reading.labels[0]: reading.counts[0] for reading in look[COUNTER.name]}["new"] == 20


def test_the_page_of_eight_workers_is_made_within_a_tenth_of_a_second(folder: Path) -> None:
    workers = [Telemetry(Cells(Mapped(folder))) for _ in range(8)]
    for telemetry in workers:
        for route in range(30):
            cell = telemetry.requests.get("GET", f"/r{route}", 200, "", "service", "application")
            cell.duration.observe_with(0.02, cell.first_byte, 0.01)
    page = Page(workers[0])
    assert page("")[2].count(b"_count{") == 60
    spent = []
    for _ in range(5):
        began = time.thread_time()
        page("")
        spent.append(time.thread_time() - began)
    assert min(spent) < 0.1
