"""Between the boundaries of the rings: what fires would fire on a plain list of events, and bounds hold it."""

from dataclasses import replace
from fractions import Fraction

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from figwatch_agent.durations import SECOND
from figwatch_agent.model.batch import ProbeResult
from support.engine import COMPACT, compact
from support.world import START, World
from support.world import settings as configured

BUDGET = Fraction(1, 1000)
moments = st.tuples(
    st.sampled_from([(20, 0), (40, 0), (19, 1), (38, 1), (99, 2), (10, 10), (0, 3), (0, 0)]),
    st.sampled_from([0.3, 1.0, 1.0, 1.7, 2.5, 4.0]),  # above two and a half the time in between stays unknown
    st.integers(1, 30),
    st.booleans(),
)


@settings(max_examples=12, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(story=st.lists(moments, min_size=2, max_size=10), offset=st.integers(0, 9_999))
def test_whatever_fires_burns_and_shown_bounds_hold_the_exact_ratio(
    story: list[tuple[tuple[int, int], float, int, bool]], offset: int
) -> None:
    service = compact()
    slos = (replace(service.slos[0], early=False), service.slos[2])
    world = World((replace(service, slos=slos, criteria=()),), configured(), start=START + offset)
    world.serve(good=1, bad=1)
    world.tick(1)
    events: list[tuple[int, int, int, int]] = []  # instant, bad, total, covered
    for (good, bad), pause, ticks, up in story:
        for _ in range(ticks):
            world.serve(good=good, bad=bad)
            before = world.now
            world.tick(pause, probes=(ProbeResult(slo="chat-uptime", at=before + round(pause * SECOND), up=up),))
            gap = world.now - before
            if gap <= 2_500:
                events.append((world.now, bad, good + bad, gap))
            seen, uptime = world.engine.view(world.now).streams
            assert uptime.span is not None
            assert uptime.span.up + uptime.span.down <= world.now - START - offset
            for tier in seen.tiers:
                inside = [event for event in events if event[0] > world.now - tier.long]
                total = sum(event[2] for event in inside)
                exact = Fraction(sum(event[1] for event in inside), total) / BUDGET if total else None
                if exact is not None:
                    assert tier.burn_low is None or tier.burn_low <= exact
                    assert tier.burn_high is None or tier.burn_high >= exact
            fired = [
                a for a in world.outcomes[-1].transitions if a.kind.value == "alert_fired" and "uptime" not in a.text
            ]
            for name in [each.text.rpartition("(")[2].rstrip(")") for each in fired]:
                tier_of = next(each for each in COMPACT if each.name == name)
                factor = tier_of.share * service.window / tier_of.long
                for length in (tier_of.long, tier_of.short):
                    inside = [event for event in events if event[0] > world.now - length]
                    total, covered = sum(event[2] for event in inside), sum(event[3] for event in inside)
                    imputed = Fraction(total * max(length - covered, 0), covered)
                    assert sum(event[1] for event in inside) > factor * BUDGET * (total + imputed)
