"""Probabilities and logarithms for oracles, to sixty digits and by their definitions."""

from decimal import Context, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache

DIGITS = 60
CLOSE = Decimal("1e-40")
WIDTH = Decimal("1e-15")
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


def least(bad: int, total: int, tail: Decimal) -> Decimal:
    """The ratio at which ``bad`` or more of ``total`` fail with probability ``tail``: a bound from below."""
    if bad == 0:
        return Decimal(0)
    with localcontext(_CONTEXT):
        return 1 - most(total - bad, total, tail)


@lru_cache(maxsize=20_000)
def most(bad: int, total: int, tail: Decimal) -> Decimal:
    """The ratio at which ``bad`` or fewer of ``total`` fail with probability ``tail``: a bound from above."""
    if bad == total:
        return Decimal(1)
    with localcontext(_CONTEXT):
        goal, low, high = tail.ln(), Decimal(bad) / total, Decimal(1)
        while high - low > WIDTH:
            middle = (low + high) / 2
            value = at_most(bad, total, middle)
            steps = [middle]
            if value > 0:  # Newton's step in the logarithm of the tail; bisection where it leaves the bracket
                width = WIDTH / 8
                slope = (at_most(bad, total, middle + width).ln() - value.ln()) / width
                near = middle - (value.ln() - goal) / slope
                steps += [near - WIDTH / 4, near + WIDTH / 4]
            for step in steps:
                if low < step < high:
                    low, high = (step, high) if at_most(bad, total, step) > tail else (low, step)
        return (low + high) / 2
