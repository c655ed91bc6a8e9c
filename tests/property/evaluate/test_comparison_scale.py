"""The comparison of the sides knows counts and nothing else: no unit, no scale, no memory."""

from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from figwatch_agent.evaluate.comparison import Comparison, Counts, Outcome, Sides, compare

PAGE = Fraction(144, 10)
SCALES = tuple(10**power for power in range(0, 13, 3))
"""Of totals, while the budget is divided by them: error ratios over twelve decades, a millionth to a million times."""

FEWEST = 1_000  # requests at the smallest scale, at which failures are rare already

pairs = st.tuples(st.integers(0, 12), st.integers(1, 3))
"""(failures, thousands of requests at the smallest scale)."""


def look(service: Counts, control: Counts, budget: Fraction, *, windows: tuple[int, ...] = (5_000,)) -> Comparison:
    return compare([Sides(window=w, service=service, control=control) for w in windows], 3, 1 - budget, PAGE)


def at_scale(service: tuple[int, int], control: tuple[int, int], scale: int, nudge: Fraction = Fraction(1)) -> Outcome:
    """The same failures of so many times the requests, against a budget that is as many times smaller."""
    sides = [Counts(bad=bad, total=FEWEST * thousands * scale) for bad, thousands in (service, control)]
    return look(sides[0], sides[1], nudge * Fraction(1, 1_000 * scale)).outcome


def clear_cut(service: tuple[int, int], control: tuple[int, int]) -> bool:
    """Whether a tenth more or less of the budget would change nothing."""
    return len({at_scale(service, control, 1_000, Fraction(tenths, 10)) for tenths in (9, 10, 11)}) == 1


@settings(max_examples=25, deadline=None)
@given(service=pairs, control=pairs)
def test_the_same_failures_at_any_scale_give_the_same_answer(
    service: tuple[int, int], control: tuple[int, int]
) -> None:
    """Failures that are rare obey one law at every scale; only a tie could tell a thousandth from a millionth."""
    assume(clear_cut(service, control))
    assert len({at_scale(service, control, scale) for scale in SCALES}) == 1


@pytest.mark.parametrize(
    ("service", "control", "outcome"),
    [
        ((40, 1), (0, 3), Outcome.WORSE),
        ((60, 1), (60, 1), Outcome.SHARED),
        ((0, 3), (12, 1), Outcome.NOT_WORSE),
        ((3, 1), (1, 1), Outcome.UNDECIDED),
    ],
)
def test_every_answer_is_given_at_every_scale(
    service: tuple[int, int], control: tuple[int, int], outcome: Outcome
) -> None:
    assert {at_scale(service, control, scale) for scale in SCALES} == {outcome}


@settings(max_examples=25, deadline=None)
@given(
    service=st.tuples(st.integers(0, 60), st.integers(0, 300)),
    control=st.tuples(st.integers(0, 60), st.integers(0, 300)),
    unit=st.sampled_from([1, 1_000, 86_400_000, 10**12]),
)
def test_the_unit_of_time_decides_nothing(service: tuple[int, int], control: tuple[int, int], unit: int) -> None:
    one, other = (Counts(bad=min(each), total=max(each)) for each in (service, control))
    budget = Fraction(1, 1000)
    said = look(one, other, budget, windows=(1, 3, 12))
    again = look(one, other, budget, windows=(unit, 3 * unit, 12 * unit))
    assert said.outcome is again.outcome
    assert [w.service_low for w in said.windows] == [w.service_low for w in again.windows]


@settings(max_examples=25, deadline=None)
@given(
    service=st.tuples(st.integers(0, 40), st.integers(1, 40)),
    control=st.tuples(st.integers(0, 40), st.integers(1, 40)),
)
def test_more_of_the_same_never_turns_one_answer_into_its_opposite(
    service: tuple[int, int], control: tuple[int, int]
) -> None:
    one, other = (Counts(bad=min(each), total=max(each)) for each in (service, control))
    said = [
        look(
            Counts(bad=one.bad * times, total=one.total * times),
            Counts(bad=other.bad * times, total=other.total * times),
            Fraction(1, 1000),
        ).outcome
        for times in (1, 10, 100, 1_000)
    ]
    assert not {Outcome.WORSE, Outcome.NOT_WORSE} <= set(said)
    if Outcome.WORSE in said:
        assert set(said[said.index(Outcome.WORSE) :]) == {Outcome.WORSE}
    if Outcome.NOT_WORSE in said:  # that both fail is known later, and then it is what is said
        assert set(said[said.index(Outcome.NOT_WORSE) :]) <= {Outcome.NOT_WORSE, Outcome.SHARED}
