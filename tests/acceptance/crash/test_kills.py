"""kill -9 at every commit and every effect: no page is lost, no step repeated, and the incident ends as it should."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.agent_process import nursery
from support.crash_story import Story, tell_all
from support.folders import quick_folder

AT_ONCE = 6
"""Stories side by side: each mostly waits for the next scrape."""
SPARE = 4
"""Points that the loop may pass more or fewer of, by how results of workers fall into its ticks."""
SECOND_LIFE = 7
"""Points of a life that begins with picking up what the one before left."""

STORIES = {"a page with its resolve": ("dry-run", Story.page_and_resolve), "a rollback": ("auto", Story.roll_back)}
LEAST = {"a page with its resolve": 22, "a rollback": 45}
"""Points that a story has at least; fewer would mean that they are not seen any more."""


@pytest.fixture
def folder() -> Iterator[Path]:
    with quick_folder() as folder:
        yield folder


def important(labels: list[str]) -> set[str]:
    """Points whose number does not depend on how results fall into ticks."""
    return {
        label for label in labels if any(word in label for word in ("schema", "outbox", "step", "POST", "rollback"))
    }


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", STORIES)
async def test_a_kill_at_any_point_loses_nothing_and_repeats_nothing(name: str, folder: Path) -> None:
    mode, telling = STORIES[name]
    async with nursery(folder) as born:
        (calm,), wrong = await tell_all(born, folder, telling, mode, [()], 1)
        assert not wrong
        assert len(calm.points) >= LEAST[name], calm.points
        told, wrong = await tell_all(born, folder, telling, mode, [(n,) for n in range(len(calm.points))], AT_ONCE)
    assert not wrong, "\n".join(wrong)
    struck = [each.struck[0] for each in told if each.struck]
    assert len(struck) >= len(calm.points) - SPARE
    assert important(calm.points) <= set(struck), important(calm.points) - set(struck)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", STORIES)
async def test_two_kills_at_any_points_lose_nothing_and_repeat_nothing(name: str, folder: Path) -> None:
    mode, telling = STORIES[name]
    async with nursery(folder) as born:
        (calm,), _ = await tell_all(born, folder, telling, mode, [()], 1)
        pairs = [(first, second) for first in range(len(calm.points)) for second in range(SECOND_LIFE)]
        told, wrong = await tell_all(born, folder, telling, mode, pairs, AT_ONCE)
    assert not wrong, "\n".join(wrong)
    assert sum(len(each.struck) == 2 for each in told) >= len(pairs) * 9 // 10
