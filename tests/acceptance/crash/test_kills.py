"""kill -9 at every commit and every effect: no page is lost, no step repeated, and the incident ends as it should."""

from pathlib import Path

import pytest

from support.agent_process import Nursery
from support.crash_story import Story, tell_all

pytestmark = pytest.mark.asyncio(loop_scope="session")

AT_ONCE = 6
"""Stories side by side: each mostly waits for the next scrape."""
TRIES = 3
"""For a point that a telling did not pass, because two things fell into one tick."""
SECOND_LIFE = 7
"""Points of a life that begins with picking up what the one before left."""

PAGE, ROLLBACK = "a page with its resolve", "a rollback"
STORIES = {PAGE: ("dry-run", Story.page_and_resolve), ROLLBACK: ("auto", Story.roll_back)}
LEAST = {PAGE: 22, ROLLBACK: 45}
"""Points that a story has at least; fewer would mean that they are not seen any more."""


def important(labels: list[str]) -> set[str]:
    """Points that every telling passes, however results fall into ticks."""
    return {label for label in labels if not any(word in label for word in ("tick: notes", "tick: results"))}


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", [PAGE, ROLLBACK])
async def test_a_kill_at_any_point_loses_nothing_and_repeats_nothing(name: str, folder: Path, born: Nursery) -> None:
    mode, telling = STORIES[name]
    (calm,), wrong = await tell_all(born, folder, telling, mode, [()], 1)
    assert not wrong
    assert len(calm.points) >= LEAST[name], calm.points
    left, struck = set(calm.points), set[str]()
    for _ in range(TRIES):
        told, wrong = await tell_all(born, folder, telling, mode, [(point,) for point in sorted(left)], AT_ONCE)
        assert not wrong, "\n".join(wrong)
        struck |= {each.struck[0] for each in told if each.struck}
        left = important(calm.points) - struck
    assert not left, "the agent was never killed there"


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", STORIES)
async def test_two_kills_at_any_points_lose_nothing_and_repeat_nothing(name: str, folder: Path, born: Nursery) -> None:
    mode, telling = STORIES[name]
    (calm,), _ = await tell_all(born, folder, telling, mode, [()], 1)
    pairs = [(first, second) for first in calm.points for second in range(SECOND_LIFE)]
    told, wrong = await tell_all(born, folder, telling, mode, pairs, AT_ONCE)
    assert not wrong, "\n".join(wrong)
    assert sum(len(each.struck) == 2 for each in told) >= len(pairs) * 9 // 10
