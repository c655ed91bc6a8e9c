"""Random histories, and engines that live through them: tick by tick, or many ticks at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from figwatch_agent.durations import DAY, HOUR, MINUTE, Duration
from figwatch_agent.engine import Engine
from figwatch_agent.engine.mapping import SIDES
from figwatch_agent.engine.past import PastCounts
from figwatch_agent.engine.saving import changed_sections
from figwatch_agent.model.names import Mode, Severity
from figwatch_agent.model.outcome import Outcome
from figwatch_agent.model.selector import Selector
from figwatch_agent.model.settings import Settings
from figwatch_agent.model.slo import Events, ServiceSlos, Slo
from figwatch_agent.model.tier import Tier
from figwatch_agent.model.wire import encode
from support.world import CHAT, MODELS, START, TIERS, service, settings

Random = np.random.Generator

QUICK = (
    Tier(name="q", share=Fraction(2, 100), long=30 * MINUTE, short=5 * MINUTE, severity=Severity.TICKET),
    Tier(name="s", share=Fraction(1, 100), long=8 * HOUR, short=HOUR, severity=Severity.TICKET, allow_slow=True),
)


def promises(chance: Random) -> tuple[ServiceSlos, ...]:
    """SLOs on series of their own, some with tickets alone, and a service whose requests have sides."""
    objectives = (Fraction(99, 100), Fraction(999, 1000), Fraction(9999, 10_000))
    own = tuple(
        Slo(
            name=f"own-{number}",
            sli=Events(total=(Selector(metric=f"{number}_total"),), bad=(Selector(metric=f"{number}_bad_total"),)),
            objective=objectives[int(chance.integers(3))],
            tiers=TIERS if number % 2 else QUICK,
            early=bool(number % 3),
            burn="traffic" if number == 4 else "time",
        )
        for number in range(6)
    )
    return (
        service(routes=(CHAT, MODELS)),
        replace(service(), path="slo/own.yaml", service="own", routes=(), slos=own, criteria=()),
    )


def conf(step: Duration, layout: str) -> Settings:
    """Nobody asks anything; pages are counted as told."""
    made = settings(mode=Mode.DRY_RUN, interval=step, hold=5 * MINUTE)
    return replace(made, layout=layout)  # type: ignore[arg-type]  # a known word


def history(engine: Engine, chance: Random, ticks: int, step: Duration) -> PastCounts:
    """Noise at every rate, outages of some minutes, slow burns, pauses, gaps, late births, and ticks out of step."""
    columns = [
        (stream.key, side)
        for stream in engine.catalog.streams
        if not stream.probed
        for side in (SIDES if stream.sided else ("unknown",))
    ]
    width = len(columns)
    rates = 10 ** chance.uniform(-1, 3, width) * step / MINUTE
    ratios = 10 ** chance.uniform(-5, -2.2, width)
    total = chance.poisson(rates, (ticks, width))
    shares = np.broadcast_to(ratios, (ticks, width)).copy()
    for _ in range(int(chance.integers(1, 7))):
        first, column = int(chance.integers(ticks)), int(chance.integers(width))
        shares[first : first + int(chance.integers(1, 40)), column] = chance.choice([0.02, 0.2, 0.5, 1.0])
    for _ in range(2):
        first, column = int(chance.integers(ticks)), int(chance.integers(width))
        total[first : first + int(chance.integers(1, 90)), column] = 0
    at = START - START % DAY + int(chance.choice([0, 7_000])) + step * np.arange(1, ticks + 1, dtype=np.int64)
    if chance.random() < 1 / 3:
        at = at + chance.integers(0, step // 3, ticks)
    if chance.random() < 1 / 3:
        at[int(chance.integers(1, ticks)) :] += int(chance.choice([20, 900])) * MINUTE
    groups = 2
    covered = np.repeat(np.diff(at, prepend=at[0] - step)[:, None], groups, axis=1)
    if chance.random() < 1 / 2:
        covered[: int(chance.integers(1, ticks)), 1] = 0
    if chance.random() < 1 / 2:
        first = int(chance.integers(ticks))
        covered[first : first + int(chance.integers(1, 12)), int(chance.integers(groups))] = 0
    if chance.random() < 1 / 4:
        covered[chance.integers(ticks, size=5)] -= 40
    group = np.array([key.startswith("own-1") for key, _ in columns], dtype=np.int64)
    total = np.where(covered[:, group] > 0, total, 0)
    bad = chance.binomial(total, shares)
    if chance.random() < 1 / 6:
        bad[int(chance.integers(ticks)), int(chance.integers(width))] = -1
    untimed = {}
    if chance.random() < 1 / 3:
        some = np.full(width, 3, dtype=np.int64)
        untimed[int(chance.integers(ticks))] = (some, some // 3)
    return PastCounts(
        ticks=at,
        keys=tuple(key for key, _ in columns),
        sides=tuple(side for _, side in columns),
        total=total.astype(np.int32),
        bad=bad.astype(np.int32),
        covered=covered,
        group=group,
        untimed=untimed,
        streams=frozenset(range(width)),
        started=(),
    )


def told(outcomes: Iterator[Outcome]) -> list[str]:
    """Those that say anything."""
    return [
        encode(each)
        for each in outcomes
        if each.transitions or each.outbox or each.intents or each.incidents or each.events or each.baselines
    ]


def singly(engine: Engine, counts: PastCounts, places: range) -> Iterator[Outcome]:
    """The plain way."""
    for place in places:
        yield engine.advance(counts.inputs(place), int(counts.ticks[place]))


def state(engine: Engine) -> list[str]:
    """Everything that the engine remembers and shows."""
    at = engine.at or 0
    rings = {**engine._rings.rings, "covered": engine._rings.coverage.ring}
    kept = [
        encode((name, ring.at, ring.current.tolist(), [[s.boundaries.tolist(), s.wide.tolist()] for s in ring._levels]))
        + str([hash(slots._low.tobytes() + slots._high.tobytes()) for slots in ring._levels])
        for name, ring in rings.items()
    ]
    sections = [encode(each) for each in changed_sections(engine._parts)]
    shown = [encode(engine.view(at)), *(encode(engine.explain(subject)) for subject in engine.subjects())]
    return [str((engine.at, engine.sequence)), *kept, *sections, *shown, *map(encode, engine.ledger())]
