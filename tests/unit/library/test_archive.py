"""Sums that are kept exactly, in few floats."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from figwatch.archive import partials

VALUES = st.lists(st.floats(min_value=0, max_value=2.0**53), max_size=40)


@settings(max_examples=100)
@given(VALUES)
def test_partials_have_exactly_the_sum_of_the_values(values: list[float]) -> None:
    assert sum(map(Fraction, partials(values))) == sum(map(Fraction, values))


@settings(max_examples=100)
@given(VALUES, VALUES)
def test_partials_stay_few_whatever_is_added(some: list[float], more: list[float]) -> None:
    kept = partials([*partials(some), *more])
    assert len(kept) <= 24  # a float has 53 bits, and all there are between the smallest and the largest sum is 1,140
