"""Sums that must hold whatever happens: ledger and whole, moved routes, and figures that are numbers."""

import json
from dataclasses import replace
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from figwatch_agent.model.view import StreamView
from figwatch_agent.model.wire import encode
from support.engine import circumstances, compact, deeds, traffic, worlds
from support.world import World

UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)  # shrinking a story would take minutes


def refuse(word: str) -> None:
    raise AssertionError(f"{word} left the engine")


@settings(max_examples=15, phases=UNSHRUNK)
@given(world=worlds(), story=st.lists(deeds, min_size=1, max_size=8))
def test_ledger_cells_sum_to_the_whole_and_every_figure_is_a_number(world: World, story: list[dict[str, Any]]) -> None:
    cells: dict[tuple[Any, ...], tuple[int, int]] = {}
    for number, deed in enumerate(story):
        circumstances(world, deed, number)
        for _ in range(deed["ticks"]):
            traffic(world, deed)
            outcome = world.tick(deed["pause"])
            json.loads(encode(outcome), parse_constant=refuse)
            cells |= {(e.slo, e.route, e.interval, e.side, e.incident): (e.bad, e.total) for e in outcome.ledger}
        json.loads(encode(world.engine.view(world.now)), parse_constant=refuse)
    counted = world.engine._rings.counted()
    for stream in world.engine.catalog.streams:
        own = [counts for cell, counts in cells.items() if cell[:2] == (stream.slo.name, stream.route)]
        assert sum(total for _, total in own) == counted[0][stream.index]
        assert sum(bad for bad, _ in own) == counted[1][stream.index]


def budgets(world: World) -> list[tuple[Any, ...]]:
    def figures(seen: StreamView) -> tuple[Any, ...]:
        tiers = [replace(tier, firing=False) for tier in seen.tiers]
        return seen.slo, seen.counts, seen.budget_left, seen.coverage, seen.totals, seen.state, tiers

    return [figures(seen) for seen in world.engine.view(world.now).streams if seen.kind != "uptime"]


steps = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 20), st.booleans(), st.sampled_from([1.0, 2.0, 5.0])), max_size=25
)


@settings(max_examples=20)
@given(story=steps, moved_at=st.integers(0, 25))
def test_moving_a_route_to_the_service_changes_no_budget(
    story: list[tuple[int, int, bool, float]], moved_at: int
) -> None:
    stays, moves = World((compact(),)), World((compact(),))
    for world in (stays, moves):
        for side in ("legacy", "service"):
            world.serve(side=side, good=1, bad=1)
        world.tick()
    for number, (good, bad, slow, pause) in enumerate(story):
        for world in (stays, moves):
            side = "service" if world is moves and number >= moved_at else "legacy"
            world.serve(side=side, good=good, bad=bad, slow=3 if slow else 0)
            world.tick(pause)
        assert budgets(stays) == budgets(moves)
