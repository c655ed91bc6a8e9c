"""What is explained is what was decided, tick by tick, whatever is excluded before or after the fact."""

from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from figwatch_agent.durations import SECOND, format_instant
from figwatch_agent.engine.engine import Engine
from figwatch_agent.model.command import Command, CommandKind
from figwatch_agent.model.explanation import WatchExplained
from figwatch_agent.model.names import Tri
from support.engine import compact
from support.world import CHAT, World
from support.world import settings as configured

UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)  # shrinking a story would take minutes

moments = st.tuples(
    st.sampled_from([(20, 0), (20, 0), (20, 1), (5, 5), (0, 20), (0, 0)]),  # good and bad a tick
    st.integers(1, 40),  # ticks
    st.one_of(
        st.none(),
        st.tuples(
            st.sampled_from([("route", CHAT), ("slo", "chat-availability"), ("service", "chat")]),
            st.integers(-150, 60),  # begins so many seconds from now
            st.one_of(st.none(), st.integers(1, 120)),  # lasts; left open
        ),
    ),
    st.booleans(),  # the newest exclusion is ended
)
stories = st.lists(moments, min_size=3, max_size=7)


class Story:
    """One small service, and what fired at its last tick."""

    def __init__(self) -> None:
        self.world = World((compact(),), configured(hold=5 * SECOND))
        for side in ("service", "legacy"):
            self.world.serve(side=side, good=1, bad=1, slow=1)
        self.world.tick()
        self.world.run(30, good=20)
        self.seen = {"fired": 0, "explained": 0, "left out": 0}

    @property
    def engine(self) -> Engine:
        return self.world.engine

    def play(self, story: list[Any]) -> None:
        for number, (traffic, ticks, excluded, ended) in enumerate(story):
            known = list(self.engine._excluding.known)
            if excluded is not None:
                (scope, name), begins, lasts = excluded
                said = {"scope": scope, "who": "ann", "from": format_instant(self.world.now + begins * SECOND)}
                if lasts is not None:
                    said["to"] = format_instant(self.world.now + (begins + lasts) * SECOND)
                self.wish(CommandKind.EXCLUDE, name, f"x{number}", tuple(sorted(said.items())))
            if ended and known:
                self.wish(CommandKind.END_EXCLUSION, known[-1], f"e{number}")
            for _ in range(ticks):
                self.tick(*traffic)

    def wish(self, kind: CommandKind, subject: str, name: str, data: tuple[tuple[str, str], ...] = ()) -> None:
        self.world.commands.append(
            Command(
                id=name, kind=kind, at=self.world.now, actor="bob", origin="cli", subject=subject, why="up", data=data
            )
        )

    def tick(self, good: int, bad: int) -> None:
        before = set(self.engine._watches.firing)
        self.world.run(1, good=good, bad=bad)
        found = self.engine.explain(CHAT)
        assert found is not None
        watches = {watch.key: watch.index for watch in self.engine.catalog.watches}
        for watch in found.watches:
            if watch.early is None:
                self.agrees(watch, fires=watches[watch.key] in set(self.engine._watches.firing) - before)

    def agrees(self, watch: WatchExplained, *, fires: bool) -> None:
        holds = all(each.holds is Tri.YES for each in watch.because)
        if fires:
            assert holds, watch.because
        elif watch.firing is None:
            assert not holds, watch.because
        self.seen["fired"] += fires
        self.seen["explained"] += 1
        for window in watch.windows:
            self.adds_up(watch, window.length)

    def adds_up(self, watch: WatchExplained, length: int) -> None:
        window = next(each for each in watch.windows if each.length == length)
        rings = self.engine._rings
        stream = next(
            each.index
            for each in self.engine.catalog.streams
            if (each.slo.name, each.route) == (watch.slo, watch.route)
        )
        raw = rings.whole(length)
        ignored = watch.ignored > 0  # bad events from before a resolve are left out as well
        for name, whole in (("bad", raw.bad), ("total", raw.total)):
            if name == "bad" and ignored:
                continue
            for part, counted in (("inside", whole.inside), ("edge", whole.edge)):
                left = getattr(getattr(window, part), name)
                out = sum(getattr(getattr(each, part), name) for each in window.left_out)
                assert left + out == int(counted[stream])
        assert sum(each.lasted for each in window.left_out) == int(raw.aside[stream])
        because = next(each for each in watch.because if each.name == f"{window.name} window")
        for each in window.left_out:
            events = each.inside.total + each.edge.total
            assert f"excluded by {each.exclusion} (ann: up): {events:,} events left out" in because.text
            self.seen["left out"] += 1


@settings(max_examples=1, phases=UNSHRUNK, deadline=None)
@given(story=stories)
def test_every_tier_is_explained_as_it_was_decided(story: list[Any]) -> None:
    told = Story()
    told.play(story)
    assert told.seen["explained"]


@pytest.mark.parametrize("before", [True, False])
def test_an_outage_that_outlasts_its_exclusion_fires_with_the_excluded_events_named(before: bool) -> None:
    told = Story()
    declared = (("route", CHAT), 0 if before else -20, 20)
    told.play([((20, 0) if before else (20, 1), 20, None, False), ((0, 20), 35, declared, False)])
    assert told.seen["fired"]
    assert told.seen["left out"]


@pytest.mark.slow
@settings(max_examples=8, phases=UNSHRUNK, deadline=None)
@given(story=stories)
def test_many_stories_are_explained_as_they_were_decided(story: list[Any]) -> None:
    Story().play(story)
