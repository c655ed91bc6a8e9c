"""Events that a source counted itself reach windows, ledger and alerts as scraped ones do."""

from fractions import Fraction

import numpy as np
import pytest

from figwatch_agent.durations import DAY, MINUTE
from figwatch_agent.engine import Engine
from figwatch_agent.model.batch import Counted
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.outcome import Outcome, TransitionKind
from figwatch_agent.model.selector import Selector
from figwatch_agent.model.slo import Events, ServiceSlos, Slo
from support.world import START, TIERS, settings

NAMES = ("reads", "writes")
KEYS = ("writes ", "of another file ", "reads ")


def service() -> ServiceSlos:
    return ServiceSlos(
        path="slo/own.yaml",
        migration="m",
        service="own",
        window=30 * DAY,
        routes=(),
        slos=tuple(
            Slo(
                name=name,
                sli=Events(total=(Selector(metric=f"{name}_total"),), bad=(Selector(metric=f"{name}_bad_total"),)),
                objective=Fraction(999, 1000),
                tiers=TIERS,
            )
            for name in NAMES
        ),
    )


def counted(now: int, total: int, bad: int, covered: int = MINUTE, keys: tuple[str, ...] = KEYS) -> Inputs:
    """The same of every key."""
    arrays = (np.full(len(keys), value, dtype=np.int64) for value in (total, bad, covered))
    total_of, bad_of, covered_of = arrays
    return Inputs(counted=(Counted(keys=keys, at=now, total=total_of, bad=bad_of, covered=covered_of),))


def run(engine: Engine, *ticks: tuple[int, int, int]) -> list[Outcome]:
    outcomes = []
    for total, bad, covered in ticks:
        now = (engine.at or START) + MINUTE
        outcomes.append(engine.advance(counted(now, total, bad, covered), now))
    return outcomes


def test_events_that_a_source_counted_are_in_windows_and_in_the_ledger() -> None:
    engine = Engine((service(),), settings(interval=MINUTE))
    outcomes = run(engine, (10, 1, MINUTE), (20, 0, MINUTE))
    view = engine.view(engine.at or 0)
    assert [(s.slo, s.counts.bad, s.counts.total, s.state) for s in view.streams] == [
        ("reads", 1, 30, "ok"),
        ("writes", 1, 30, "ok"),
    ]
    assert [s.coverage for s in view.streams] == [Fraction(2 * MINUTE, 30 * DAY)] * 2
    assert [(e.slo, e.side, e.bad, e.total) for e in outcomes[1].ledger] == [
        ("reads", "unknown", 1, 30),
        ("writes", "unknown", 1, 30),
    ]


def test_what_no_time_was_measured_for_is_unknown_and_in_no_window() -> None:
    engine = Engine((service(),), settings(interval=MINUTE))
    run(engine, (10, 1, MINUTE), (500, 400, 0))
    seen = engine.view(engine.at or 0).streams[0]
    assert (seen.counts.total, seen.totals.total, seen.state) == (10, 510, "unknown")
    assert seen.finding == "its source did not measure it"


def test_an_outage_that_a_source_counted_fires_and_resolves() -> None:
    engine = Engine((service(),), settings(interval=MINUTE))
    outcomes = run(engine, *[(600, 0, MINUTE)] * 5, *[(600, 600, MINUTE)] * 5, *[(600, 0, MINUTE)] * 15)
    kinds = [each.kind for outcome in outcomes for each in outcome.transitions if each.subject.startswith("reads")]
    assert TransitionKind.ALERT_FIRED in kinds
    assert kinds.count(TransitionKind.ALERT_FIRED) == kinds.count(TransitionKind.ALERT_RESOLVED)


def test_a_stream_named_twice_is_refused() -> None:
    engine = Engine((service(),), settings(interval=MINUTE))
    with pytest.raises(ValueError, match="every stream once"):
        engine.advance(counted(START, 1, 0, keys=("reads ", "reads ")), START)
