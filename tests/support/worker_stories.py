"""Long lives of worker folders, told in a small process of their own: forking one that has loaded a test suite is slow.

``python -m support.worker_stories NAME FOLDER PART`` tells one; what is not as it should be is an AssertionError. PART
is 1 for the whole story, 20 for each twentieth step of it.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from figwatch import archive, cellfile
from support.workers import Worker, at_line, die, files, killed, things, waits, worker

TESTS: Final = Path(__file__).resolve().parents[1]


def tell(name: str, folder: Path, part: int, *, patience: float = 100) -> None:
    """Run each `part`-th step of a story; raises AssertionError with what it said if it does not end well."""
    done = subprocess.run(
        [sys.executable, "-m", "support.worker_stories", name, str(folder), str(part)],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        cwd=TESTS,
        capture_output=True,
        text=True,
        timeout=patience,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def check(mine: Worker, expected: int) -> None:
    """Every family says that this much was counted, an eighth of a second each."""
    look = mine.look()
    assert things(look) == expected, (things(look), expected)
    assert waits(look) == (expected, expected / 8), (waits(look), expected)


def brief(folder: Path, kind: str = "a", counts: int = 1) -> None:
    """A worker that counts and is killed."""

    def life() -> None:
        mine = worker(folder)
        for _ in range(counts):
            mine.add_one(kind)
        die()

    assert killed(life)


@contextmanager
def folding_elsewhere(folder: Path) -> Iterator[None]:
    """As if somebody were at work on the archive: who looks meanwhile has to take things as they are."""
    with (folder / "figwatch.lock").open("rb") as guard:
        assert cellfile.locks(guard.fileno())
        yield


def a_thousand_restarts(folder: Path, part: int) -> None:
    """Killed one after the other; a folder of few files, and a quick answer, is what remains."""
    witness = worker(folder)
    restarts = 1_000 // part
    for number in range(restarts):
        brief(folder, kind=str(number % 40))
        assert len(os.listdir(folder)) <= 5, os.listdir(folder)
    began = time.process_time()
    check(witness, restarts)
    assert time.process_time() - began < 0.1
    assert len(files(folder)) == 1, files(folder)


def killed_folds(folder: Path, part: int) -> None:
    """Whatever line of a fold is its last, the next look and the next fold make it good."""
    witness = worker(folder)
    expected, line, again = 0, 0, True
    while again:
        for name in ("first", "second"):
            brief(folder, name)
            expected += 1
        # Files of two wait, and the fold is killed; so is the next one, elsewhere.
        again = killed(at_line(line, lambda: archive.fold(folder)))
        with folding_elsewhere(folder):
            check(witness, expected)
        killed(at_line(line // 2, lambda: archive.fold(folder)))
        check(witness, expected)
        assert len(files(folder)) == 1, files(folder)
        line += 2 * part  # of the few lines between the two steps that count, some are met
    assert line > 200, line


def killed_counts(folder: Path, part: int) -> None:
    """Whatever line of joining and counting is a worker's last, what it counted before stays and the rest is whole."""
    witness = worker(folder)

    def life() -> None:
        mine = worker(folder)
        for kind in ("a", "b"):
            mine.add_one(kind)

    before, line, again = 0, 0, True
    while again:
        again = killed(at_line(line, life))
        look = witness.look()
        now, (counted, seconds) = things(look), waits(look)
        assert now - before in (0, 1, 2), (line, before, now)
        assert 0 <= now - counted <= line + 1, (line, now, counted)
        assert seconds <= counted / 8, (line, seconds, counted)
        before = now
        line += part
    assert before > line / part / 4, "killed late, a worker had counted"
    assert len(files(folder)) == 1, files(folder)


STORIES: Final[dict[str, Callable[[Path, int], None]]] = {
    story.__name__: story for story in (a_thousand_restarts, killed_folds, killed_counts)
}


if __name__ == "__main__":
    STORIES[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
