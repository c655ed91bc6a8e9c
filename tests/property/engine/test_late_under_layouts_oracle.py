"""Events told late to an agent that starts again and again under other layouts: the truth lies within every bound."""

from dataclasses import replace
from typing import Any, Literal

import numpy as np
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from figwatch_agent.durations import HOUR, MINUTE, SECOND
from figwatch_agent.engine import Engine
from figwatch_agent.model.batch import Counted
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.outcome import TransitionKind
from support.engine import Memory, compact
from support.world import CHAT, MODELS, START
from support.world import settings as configured

UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)  # shrinking a story would take minutes
KEYS = tuple(f"chat-availability {route}" for route in (CHAT, MODELS))
LENGTHS = (10 * SECOND, MINUTE, 7 * MINUTE, 20 * MINUTE, 30 * MINUTE, 50 * MINUTE, HOUR, 90 * MINUTE, 3 * HOUR)
SERVICES = (compact(routes=(CHAT, MODELS)),)
Layout = Literal["compact", "default"]

ticks = st.tuples(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40)), min_size=2, max_size=2),  # (bad, good) by key
    st.sampled_from([4, 10, 60, 437, 1800]),  # seconds
    st.lists(st.booleans(), min_size=2, max_size=2),  # told late, by key
)
deeds = st.one_of(
    st.lists(ticks, min_size=1, max_size=12),
    st.sampled_from(["compact", "default"]),  # a restart under this layout
    st.just("tell"),  # what was not told in time
)


class Story:
    """An agent and the events that it was told of: per key (instant, bad, total)."""

    def __init__(self) -> None:
        self.now, self.memory = START, Memory()
        self.told: list[list[tuple[int, int, int]]] = [[] for _ in KEYS]
        self.waiting: list[tuple[int, Any]] = []
        self.engine = self._engine("default")
        self.tick(1, ())

    def _engine(self, layout: Layout) -> Engine:
        return Engine(SERVICES, replace(configured(interval=10 * SECOND), layout=layout), self.memory.saved())

    def tick(self, seconds: int, many: tuple[Counted, ...]) -> None:
        self.now += seconds * SECOND
        outcome = self.engine.advance(Inputs(counted=many), self.now)
        said = [each.text for each in outcome.transitions if each.kind is TransitionKind.FINDING]
        assert not [text for text in said if "not counted" in text]
        self.memory.commit(outcome)

    def live(self, moment: Any) -> None:
        at = self.now + moment[1] * SECOND
        self.waiting.append((at, moment))
        self.tick(moment[1], (self._counted(at, moment, late=False),))

    def restart(self, layout: Layout) -> None:
        self.engine = self._engine(layout)

    def tell(self) -> None:
        self.tick(1, tuple(self._counted(at, moment, late=True) for at, moment in self.waiting if any(moment[2])))
        self.waiting.clear()

    def _counted(self, at: int, moment: Any, *, late: bool) -> Counted:
        now = [each is late for each in moment[2]]
        for key, (bad, good) in enumerate(moment[0]):
            if now[key]:
                self.told[key].append((at, bad, bad + good))
        return Counted(
            keys=KEYS,
            at=at,
            total=np.array([sum(pair) * now[key] for key, pair in enumerate(moment[0])], dtype=np.int64),
            bad=np.array([pair[0] * now[key] for key, pair in enumerate(moment[0])], dtype=np.int64),
            covered=np.array([moment[1] * SECOND * each for each in now], dtype=np.int64),
        )

    def check(self) -> None:
        streams = {stream.key: stream.index for stream in self.engine.catalog.streams}
        for length in LENGTHS:
            seen = self.engine._rings.streams(length)
            for key, events in zip(KEYS, self.told, strict=True):
                inside = [event for event in events if self.now - length < event[0] <= self.now]
                for window, part in ((seen.bad, 1), (seen.total, 2)):
                    low, edge = int(window.inside[streams[key]]), int(window.edge[streams[key]])
                    truth = sum(event[part] for event in inside)
                    assert low <= truth <= low + edge, (key, length, part, low, edge, truth)


EARLY = ([(3, 0), (0, 9)], 10, [True, False])
CALM = ([(0, 9), (0, 9)], 60, [False, False])


@settings(max_examples=30, phases=UNSHRUNK, deadline=None)
@given(story=st.lists(deeds, min_size=3, max_size=9))
@example([[CALM] * 9, [EARLY], [CALM] * 9, "compact", "tell", "default", [CALM], "default", [CALM]])
@example([[CALM], [EARLY], [CALM] * 100, "compact", [CALM], "tell", "default", [CALM]])
@example([[CALM] * 9, [EARLY], [CALM] * 9, "compact", [CALM], "tell", [CALM], "default", [CALM] * 3, "compact"])
def test_whatever_is_told_under_whichever_layout_lies_within_the_bounds(story: list[Any]) -> None:
    told = Story()
    for deed in story:
        match deed:
            case "tell":
                told.tell()
            case "compact" | "default":
                told.restart(deed)
            case _:
                for moment in deed:
                    told.live(moment)
        told.check()
    told.restart("compact" if told.engine.catalog.settings.layout == "default" else "default")
    told.check()
    told.live(CALM)
    told.restart(told.engine.catalog.settings.layout)
    told.check()
