"""The legacy ratio of a route and of all, and leaks to legacy, against a list of requests by side."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from figwatch_agent.durations import HOUR, MINUTE, SECOND
from figwatch_agent.model.names import AlertName, Measure, Mode, Stage
from figwatch_agent.model.slo import Criterion
from figwatch_agent.model.view import Measured
from support.engine import Memory, compact, restarted
from support.world import CHAT, MODELS, START, World
from support.world import settings as configured

OTHER = "/somewhere/else"
OVER, SLOT = MINUTE, 10 * SECOND
Key = tuple[str, str, str]  # route, side, how it ended
SERIES = {"slow": "good"}  # both were answered well: one series


@dataclass
class Oracle:
    """Requests that were counted, with the instant of the answer that showed them."""

    counted: list[tuple[int, str, str, int]] = field(default_factory=list)  # instant, route, side, requests
    covered: list[tuple[int, int]] = field(default_factory=list)  # instant, milliseconds since the answer before
    seen: set[Key] = field(default_factory=set)
    waiting: dict[Key, int] = field(default_factory=lambda: defaultdict(int))
    answered_at: int | None = None
    answered: bool = False

    def take(self, now: int, up: bool) -> bool:
        """A scrape; whether its counts belong to windows."""
        if not up:
            self.answered = False
            return False
        gap = None if self.answered_at is None else now - self.answered_at
        timed = gap is not None and gap <= 2_500
        for key, requests in self.waiting.items():
            # What was born while nobody answered begins where it stands, and so does all of the first page.
            if timed and (key in self.seen or self.answered):
                self.counted.append((now, key[0], key[1], requests))
        if timed and gap is not None:
            self.covered.append((now, gap))
        self.seen |= set(self.waiting)
        self.waiting.clear()
        self.answered_at, self.answered = now, True
        return timed

    def users(self, now: int, route: str, over: int = OVER) -> tuple[int, int]:
        """(served by legacy, all) of those who wait for their answer: shadow copies are nobody's."""
        kept = [
            (side, count)
            for at, where, side, count in self.counted
            if at > now - over and side != "shadow" and route in ("", where)
        ]
        return sum(count for side, count in kept if side == "legacy"), sum(count for _, count in kept)


def world_of_two_routes(start: int) -> World:
    service = compact(routes=(CHAT, MODELS))
    stages = {CHAT: Stage.CANARY, MODELS: Stage.MIGRATED}
    criteria = tuple(
        Criterion(name=f"legacy {route}", measure=Measure.LEGACY_RATIO, target="< 1%", over=OVER, route=route)
        for route in ("", CHAT, MODELS)
    )
    routes = tuple(replace(route, stage=stages[route.template]) for route in service.routes)
    slos = (replace(service.slos[0], tiers=(), early=False),)
    promised = replace(service, routes=routes, slos=slos, criteria=criteria)
    return World((promised,), configured(mode=Mode.DRY_RUN), start=start)


requests = st.tuples(
    st.sampled_from([CHAT, CHAT, MODELS, MODELS, OTHER]),
    st.sampled_from(["legacy", "service", "service", "shadow", "unknown"]),
    st.sampled_from(["good", "bad", "slow", "gone"]),
    st.integers(1, 40),
)
moments = st.tuples(
    st.lists(requests, max_size=4),
    st.sampled_from(["", "", "", "", "down", "silent", "gateway restart", "agent restart", "gap", "long gap"]),
    st.integers(1, 14),
)
stories = st.lists(moments, min_size=3, max_size=12)
offsets = st.sampled_from([0, 0, 3_000, 4_321])
UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)  # shrinking a story would take minutes


def follow(story: list[Any], offset: int) -> None:
    world, oracle, memory = world_of_two_routes(START + offset), Oracle(), Memory()
    leaking = False
    for served, happening, ticks in story:
        if happening == "gateway restart":
            world.restart_gateway()
            oracle.waiting.clear()  # what nobody read before is lost
        elif happening == "agent restart":
            restarted(world, memory)
        pause = {"gap": 4, "long gap": 1_805}.get(happening, 1)
        for number in range(1 if pause > 1 else ticks):
            world.up = happening != "silent" and (happening, number) != ("down", 0)
            for route, side, ending, count in served:
                world.serve(route=route, side=side, **{ending: count})
                oracle.waiting[route, side, SERIES.get(ending, ending)] += count
            world.tick(pause)
            known = oracle.take(world.now, world.up)
            leaking = leak(world, oracle, leaking, known)
            agree(world, oracle)


def leak(world: World, oracle: Oracle, leaking: bool, known: bool) -> bool:
    """A migrated route that reached legacy lately has a ticket, until it did not for an hour."""
    incidents = {each.id: each for outcome in world.outcomes for each in outcome.incidents}
    open_ones = [each for each in incidents.values() if each.alerts[0].name is AlertName.LEGACY_LEAK and each.open]
    assert {each.route for each in open_ones} <= {MODELS}
    shown = bool(open_ones)
    if not known:
        assert shown is leaking  # what is not measured opens and ends nothing
        return leaking
    surely = oracle.users(world.now, MODELS, HOUR)[0] > 0
    assert shown is surely or (shown and oracle.users(world.now, MODELS, HOUR + SLOT)[0] > 0)
    return shown


def agree(world: World, oracle: Oracle) -> None:
    view = world.engine.view(world.now)
    for shown in view.criteria:
        legacy, total = oracle.users(world.now, shown.criterion.route or "")
        exact = Fraction(legacy, total) if total else None
        covered = min(Fraction(sum(gap for at, gap in oracle.covered if at > world.now - OVER), OVER), Fraction(1))
        if world.now % SLOT == 0:
            wanted = exact if covered >= Fraction(1, 2) else None
            assert (shown.low, shown.high, shown.estimate) == (wanted, wanted, wanted)
            assert shown.coverage == covered
        bounded(shown, exact)
    if world.now % SLOT == 0:
        for route in view.routes:
            kept = [each for each in oracle.counted if each[0] > world.now - HOUR and each[1] == route.route]
            sides = ("legacy", "service", "shadow", "unknown")
            assert dict(route.requests) == {side: sum(each[3] for each in kept if each[2] == side) for side in sides}


def bounded(shown: Measured, exact: Fraction | None) -> None:
    """Between the boundaries of the rings a figure has bounds, and they hold the truth."""
    if exact is not None and shown.low is not None and shown.high is not None:
        assert shown.low <= exact <= shown.high


USERS, MOVED = [(CHAT, "service", "good", 5)], [(CHAT, "legacy", "good", 30)]
BORN_UNSEEN = [
    (MOVED, "down", 3),
    (USERS, "", 14),
]  # a series that appears after a failed scrape starts where it stands
AGEING = [(MOVED, "", 7), *[(USERS, "", 14)] * 6]  # legacy's requests leave the window


@example(story=BORN_UNSEEN, offset=0)
@example(story=AGEING, offset=4_321)
@settings(max_examples=12, phases=UNSHRUNK)
@given(story=stories, offset=offsets)
def test_the_legacy_ratio_is_what_a_list_of_requests_says(story: list[Any], offset: int) -> None:
    follow([([(CHAT, "service", "good", 5)], "", 10), *story], offset)


@pytest.mark.slow
@settings(max_examples=60, phases=UNSHRUNK)
@given(story=stories, offset=offsets)
def test_many_legacy_ratios_are_what_a_list_of_requests_says(story: list[Any], offset: int) -> None:
    follow([([(CHAT, "service", "good", 5)], "", 10), *story], offset)
