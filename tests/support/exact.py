"""Probabilities and logarithms for oracles, to sixty digits and by their definitions."""

from decimal import Context, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache

DIGITS = 60
CLOSE = Decimal("1e-40")
_CONTEXT = Context(prec=DIGITS, Emin=-(10**9), Emax=10**9)


def decimal(number: Fraction) -> Decimal:
    """A ratio to sixty digits."""
    return _CONTEXT.divide(Decimal(number.numerator), Decimal(number.denominator))


def logarithm(number: Fraction) -> Decimal:
    """The natural logarithm to sixty digits."""
    return _CONTEXT.ln(decimal(number))


@lru_cache(maxsize=20_000)
def at_most(bad: int, total: int, ratio: Decimal) -> Decimal:
    """P(at most ``bad`` of ``total`` fail), term by term; the shorter tail is summed."""
    if bad >= total or ratio <= 0:
        return Decimal(1)
    if bad < 0 or ratio >= 1:
        return Decimal(0)
    if 2 * bad > total:
        with localcontext(_CONTEXT):
            return 1 - at_most(total - bad - 1, total, 1 - ratio)
    with localcontext(_CONTEXT):
        odds = ratio / (1 - ratio)
        term = found = (1 - ratio) ** total
        for k in range(bad):
            term = term * (total - k) / (k + 1) * odds
            found += term
        return found


def at_least(bad: int, total: int, ratio: Decimal) -> Decimal:
    """P(at least ``bad`` of ``total`` fail)."""
    with localcontext(_CONTEXT):
        return 1 - at_most(bad - 1, total, ratio)


def below(probability: Decimal, level: Fraction) -> bool:
    """Whether a probability is at most a level; nothing an oracle asks for comes closer to a tie than this."""
    difference = _CONTEXT.subtract(probability, decimal(level))
    assert abs(difference) > CLOSE, "a tie that sixty digits cannot decide"
    return difference < 0


def clears(bad: int, total: int, ratio: Fraction) -> bool:
    """Whether so few failures contradict, at 5 %, that ``ratio`` or more still fail."""
    return total > 0 and below(at_most(bad, total, decimal(ratio)), Fraction(5, 100))
