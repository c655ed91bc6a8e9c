"""Burn rates weighted by traffic: how fast the period's budget goes in events, not how bad the moment's ratio is.

A burn rate by time divides the window's bad events by the budget of the window's own traffic: at night a handful of
failures is a large ratio. By traffic they are divided by the budget of a window of that length at the traffic of the
whole period, so that figure x window / period is the share of the period's budget that was spent. Both are equal where
the window's traffic is the period's.
"""

from dataclasses import dataclass
from fractions import Fraction

from figwatch_agent.durations import Duration
from figwatch_agent.evaluate.burn_rate import Crossing


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """What a window and its period counted. What stands at an edge may lie in it or before it."""

    bad: int  # bad events surely in the window
    bad_edge: int
    window: Duration  # its length, without time that is excluded
    total: int  # events surely in the period
    total_edge: int
    covered: Duration  # measured time that is surely in the period
    covered_edge: Duration


def burn_by_traffic(bad: int, window: Duration, total: int, covered: Duration, budget: Fraction) -> Fraction | None:
    """Bad events a time / (budget x events a time of the period); None where no traffic says what is usual."""
    if window <= 0 or covered <= 0 or total <= 0:
        return None
    return Fraction(bad * covered * budget.denominator, window * total * budget.numerator) if bad else Fraction(0)


def burn_bounds(spent: Spent, budget: Fraction) -> tuple[Fraction | None, Fraction | None]:
    """(least, most) that the counts allow: the busiest period with the fewest bad events, then the other way round.

    Neither the events nor the time of a cut slot are told apart, so that each bound takes the worse of both. None where
    nothing surely lies in the period.
    """
    most_bad, most_covered = spent.bad + max(spent.bad_edge, 0), spent.covered + max(spent.covered_edge, 0)
    most_total = spent.total + max(spent.total_edge, 0)
    return (
        burn_by_traffic(spent.bad, spent.window, most_total, spent.covered, budget),
        burn_by_traffic(most_bad, spent.window, spent.total, most_covered, budget),
    )


def weighted_over(spent: Spent, factor: Fraction, budget: Fraction) -> Crossing:
    """Whether a window burns the period's budget faster than a factor; where the bounds disagree it does not."""
    low, high = burn_bounds(spent, budget)
    over = low is not None and low > factor
    # Where no event surely lies in the period, those at its edge may all lie before it: then nothing bounds the rate.
    endless = not spent.total and spent.total_edge > 0 and spent.bad + spent.bad_edge > 0 and spent.window > 0
    may_be_over = endless if high is None else high > factor
    return Crossing(over=over, certified=over == may_be_over)
