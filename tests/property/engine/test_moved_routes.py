"""Routes that move between legacy and service at random: no budget and no window feels it, and the ledger knows."""

from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from figwatch_agent.durations import HOUR, MINUTE, SECOND
from figwatch_agent.model.ledger import Key, settle
from figwatch_agent.model.outcome import LedgerEntry
from support.engine import compact
from support.world import World

UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)
LENGTHS = (10 * SECOND, MINUTE, 7 * MINUTE, 30 * MINUTE, HOUR)
SIDES = ("legacy", "service", "unknown")

moments = st.tuples(st.integers(0, 40), st.integers(0, 3), st.sampled_from(SIDES), st.sampled_from([1.0, 2.0, 9.0]))


def figures(world: World) -> list[Any]:
    """Every window of every SLO, whole and at its edge."""
    windows = [world.engine._rings.streams(length) for length in LENGTHS]
    return [
        getattr(getattr(window, part), side).tolist()
        for window in windows
        for part in ("total", "bad", "covered")
        for side in ("inside", "edge")
    ]


@settings(max_examples=5, phases=UNSHRUNK, deadline=None)
@given(story=st.lists(moments, min_size=1, max_size=30))
def test_no_window_feels_a_move_and_every_spent_event_has_its_side(story: list[Any]) -> None:
    stays, moves = World((compact(),)), World((compact(),))
    cells: dict[Key, LedgerEntry] = {}
    spent = dict.fromkeys(SIDES, (0, 0))
    for world in (stays, moves):
        for side in SIDES:
            world.serve(side=side, good=1, bad=1)
        world.tick()
    for good, bad, side, pause in story:
        stays.serve(side="legacy", good=good, bad=bad)
        moves.serve(side=side, good=good, bad=bad)
        stays.tick(pause)
        settle(cells, moves.tick(pause))
        if pause <= 2.5:  # intervals of a second: events of longer gaps belong to no window
            spent[side] = spent[side][0] + bad, spent[side][1] + good + bad
        assert figures(stays) == figures(moves)
    for side in SIDES:
        mine = [each for each in cells.values() if (each.slo, each.side) == ("chat-availability", side)]
        assert (sum(each.bad for each in mine), sum(each.total for each in mine)) == spent[side]
