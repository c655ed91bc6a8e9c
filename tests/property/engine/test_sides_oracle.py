"""The comparison of the sides in the engine, and what the guard makes of it, against bounds of sixty digits."""

import re
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from figwatch_agent.durations import SECOND
from figwatch_agent.model.command import CommandKind
from figwatch_agent.model.decision import Decision
from figwatch_agent.model.names import Mode
from figwatch_agent.model.outcome import TransitionKind
from support.alarms import Pair
from support.engine import compact, wish
from support.exact import at_least, decimal, least, most
from support.world import CHAT, World, plan
from support.world import settings as configured

BUDGET = Fraction(1, 1000)
RATIOS = {"early": Fraction(1, 5), "fast": Fraction(144, 10_000)}
WINDOWS = (5, 15, 60, 300)
CLOSE = Decimal("1e-9")
REASONS = {"worse": "dry_run", "shared": "shared_cause", "undecided": "comparison_undecided"}


class TooClose(Exception):
    """Two bounds lie nearer to each other than the engine's arithmetic must tell apart."""


def above(left: Decimal, right: Decimal) -> bool:
    if abs(left - right) < CLOSE:
        raise TooClose
    return left > right


def beyond(side: Pair, ratio: Fraction, tail: Decimal) -> bool:
    """Whether a side surely fails more often than this."""
    return side[0] > 0 and above(tail, at_least(*side, decimal(ratio)))


@dataclass(frozen=True)
class Window:
    """Both sides over the same seconds; each of four bounds is wrong with the chance ``tail`` at most."""

    service: Pair
    control: Pair
    tail: Decimal

    @property
    def margin(self) -> Fraction:
        return max(BUDGET, Fraction(*self.control) / 2) if self.control[1] else BUDGET

    @property
    def enough(self) -> bool:
        return self.control[1] >= 10

    @property
    def worse(self) -> bool:
        (bad, total), margin = self.service, self.margin
        if not self.enough or bad < 2 or Fraction(bad, total) <= Fraction(*self.control):
            return False
        return above(least(bad, total, self.tail), most(*self.control, self.tail) + decimal(margin))

    @property
    def not_worse(self) -> bool:
        if not self.enough or not self.service[1]:
            return False
        if Fraction(*self.service) >= Fraction(*self.control) + self.margin:
            return False
        return above(least(*self.control, self.tail) + decimal(self.margin), most(*self.service, self.tail))

    def shared(self, threshold: Fraction) -> bool:
        return self.enough and all(beyond(side, threshold, self.tail) for side in (self.service, self.control))


@dataclass
class Oracle:
    """Looks at an incident once in every tick in which a page of it fires."""

    ticks: list[tuple[int, Pair, Pair]] = field(default_factory=list)  # instant, service, legacy
    baseline: Pair | None = None
    firing: list[str] = field(default_factory=list)  # alerts that page, oldest first
    looks: int = 0
    decided: tuple[str, Window | None] | None = None  # the last that was told

    def look(self, now: int, known: bool) -> tuple[str, Window | None] | None:
        """What is decided anew in this tick."""
        self.looks += 1
        word, window = self.compare(now) if known else ("stale_data", None)
        before = self.decided[0] if self.decided is not None else ""
        if word == before or (word, before) == ("undecided", "shared"):
            return None
        self.decided = word, window
        return self.decided

    def compare(self, now: int) -> tuple[str, Window | None]:
        level = Fraction(1, 10) / ((self.looks + 9) * (self.looks + 10))
        tail = decimal(level / len(WINDOWS) / 2)
        windows = [Window(*self.inside(seconds, now), tail) for seconds in WINDOWS]
        if not windows[-1].control[1]:
            if self.baseline is None:
                return "no_control", None
            windows = [replace(window, control=self.baseline) for window in windows]
        for word, said in (
            ("worse", [window.worse for window in windows]),
            ("shared", [window.shared(RATIOS[self.firing[0].split()[2]]) for window in windows]),
        ):
            if any(said):
                return word, windows[said.index(True)]
        telling = [window for window in windows if window.enough]
        if telling and all(window.not_worse for window in telling):
            return "not_worse", telling[0]
        return "undecided", None

    def inside(self, seconds: int, now: int) -> tuple[Pair, Pair]:
        kept = [tick for tick in self.ticks if tick[0] > now - seconds * SECOND]
        return summed([service for _, service, _ in kept]), summed([legacy for _, _, legacy in kept])


def summed(pairs: list[Pair]) -> Pair:
    return sum(bad for bad, _ in pairs), sum(total for _, total in pairs)


def world_of_one_slo() -> World:
    service = compact()
    conf = configured(mode=Mode.DRY_RUN, plans=(plan(capacity=None),), hold=5 * SECOND)
    return World((replace(service, slos=service.slos[:1], criteria=()),), conf)


moments = st.tuples(
    st.sampled_from([(20, 0), (20, 0), (0, 20), (10, 10), (17, 3), (10, 4), (4, 6), (1, 1), (0, 0)]),
    st.sampled_from([(10, 0), (10, 0), (10, 0), (0, 10), (5, 5), (9, 1), (7, 3), (1, 0), (0, 0)]),
    st.sampled_from(["", "", "", "", "", "down", "gap", "restart", "baseline", "unknown", "shadow"]),
    st.integers(1, 9),
)
stories = st.lists(moments, min_size=1, max_size=8)
serves = st.sampled_from([True, True, False])  # where legacy serves nothing, a recorded baseline is the control
baselines = st.sampled_from([(1, 300), (0, 9), (0, 50), (12, 40), (60, 150)])
UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)  # shrinking a story would take minutes


def follow(story: list[Any], baseline: Pair, legacy_serves: bool) -> None:
    world, oracle = world_of_one_slo(), Oracle()
    for side in ("service", "legacy", "unknown", "shadow"):
        world.serve(side=side, good=1, bad=1)  # the series stand on the first page
    world.tick()
    answered_at, waiting = world.now, [(0, 0), (0, 0)]
    for service, control, happening, ticks in story:
        legacy = control if legacy_serves else (0, 0)
        if happening == "restart":
            world.restart_gateway()
            waiting = [(0, 0), (0, 0)]  # what nobody read before is lost
        elif happening == "baseline":
            data = (("bad", str(baseline[0])), ("total", str(baseline[1])))
            world.commands.append(wish(world, CommandKind.BASELINE, CHAT, f"c{world.now}", data=data))
            oracle.baseline = baseline
        for _ in range(1 if happening == "gap" else ticks):
            world.up = happening != "down"
            for place, (side, (good, bad)) in enumerate((("service", service), ("legacy", legacy))):
                world.serve(side=side, good=good, bad=bad)
                waiting[place] = waiting[place][0] + bad, waiting[place][1] + good + bad
            if happening in ("unknown", "shadow"):  # counted for neither side
                world.serve(side=happening, good=5, bad=5)
            world.tick(4 if happening == "gap" else 1)
            known = world.up and world.now - answered_at <= 2_500
            if known:
                oracle.ticks.append((world.now, waiting[0], waiting[1]))
            if world.up:
                answered_at, waiting = world.now, [(0, 0), (0, 0)]
            agree(world, oracle, known)


def agree(world: World, oracle: Oracle, known: bool) -> None:
    """What the guard decided anew in the last tick, by alerts as the engine raised and ended them."""
    outcome = world.outcomes[-1]
    for each in outcome.transitions:
        alert = " ".join(each.subject.split()[:4])
        if each.kind is TransitionKind.ALERT_FIRED and "slow" not in each.subject.split():
            oracle.firing.append(alert)
        elif each.kind is TransitionKind.ALERT_RESOLVED and alert in oracle.firing:
            oracle.firing.remove(alert)
        elif each.kind is TransitionKind.INCIDENT_OPENED:
            oracle.looks, oracle.decided = 0, None
    decided = oracle.look(world.now, known) if oracle.firing else None
    shown = [each for each in outcome.transitions if each.kind is TransitionKind.DECIDED]
    assert len(shown) == (decided is not None)
    if decided is not None:
        word, window = decided
        decision = outcome.incidents[-1].decision
        assert decision is not None
        assert decision.reason.value == REASONS.get(word, word)
        counts_agree(decision, window)


def counts_agree(decision: Decision, window: Window | None) -> None:
    """The condition tells the counts of the shortest window that decides."""
    condition = next(each for each in decision.conditions if each.name == "worse_than_control")
    if window is not None:
        service, control = re.findall(r"(\d+) (?:bad )?of (\d+)", condition.evidence)
        assert tuple(map(int, service)) == window.service
        assert tuple(map(int, control)) == window.control


def live(story: list[Any], baseline: Pair, legacy_serves: bool) -> None:
    try:
        follow([((20, 0), (10, 0), "", 15), *story], baseline, legacy_serves)
    except TooClose:
        return


NOBODY = [((17, 3), (5, 5), "", 3), ((0, 0), (0, 0), "", 7), ((0, 0), (0, 10), "", 3)]  # the service serves nobody


@example(story=NOBODY, baseline=(1, 300), legacy_serves=True)
@settings(max_examples=5, phases=UNSHRUNK)
@given(story=stories, baseline=baselines, legacy_serves=serves)
def test_the_guard_weighs_the_sides_as_their_exact_bounds_say(
    story: list[Any], baseline: Pair, legacy_serves: bool
) -> None:
    live(story, baseline, legacy_serves)


@pytest.mark.slow
@settings(max_examples=40, phases=UNSHRUNK)
@given(story=stories, baseline=baselines, legacy_serves=serves)
def test_many_guards_weigh_the_sides_as_their_exact_bounds_say(
    story: list[Any], baseline: Pair, legacy_serves: bool
) -> None:
    live(story, baseline, legacy_serves)
