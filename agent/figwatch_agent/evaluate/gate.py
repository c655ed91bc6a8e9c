"""Whether counts of a partly covered window keep a promise for sure, whatever happened while nobody measured."""

from fractions import Fraction

from figwatch_agent.evaluate.uptime import RequestUptime
from figwatch_agent.model.names import Tri

FLOOR = Fraction(1, 2)
"""Less of the window measured than this, and nothing is said."""


def keeps(account: RequestUptime, objective: Fraction, floor: Fraction = FLOOR) -> Tri:
    """Yes where the objective is kept with unmeasured time imputed as bad at the measured rate, no where it is missed
    with that time good, else unknown; and unknown below the floor of coverage or without requests."""
    low, high = account.lower_bound, account.upper_bound
    if low is None or high is None or account.coverage < floor:
        return Tri.UNKNOWN
    if low >= objective:
        return Tri.YES
    return Tri.NO if high < objective else Tri.UNKNOWN
