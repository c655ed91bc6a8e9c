"""Exact tests on counts: do these events contradict "within budget", or "still burning"?

Binomial tails are the point probability (Loader 2000, "Fast and accurate computation of binomial probabilities": every
large cancellation is taken out by hand) times the continued fraction of the incomplete beta function, evaluated on the
side of the mean where it converges. They hold nine digits for totals far beyond 10**9.
"""

import math
from collections.abc import Callable
from fractions import Fraction

# 1e-5 on the long window gives about 0.2 false pages a stream-year at 99.9 % (simulated, 1 request/h to 10,000/s);
# dividing 5e-5 among the paging streams of a service keeps the whole service at one a year.
ALPHA_PER_STREAM = Fraction(1, 100_000)
ALPHA_PER_SERVICE = Fraction(5, 100_000)
RECOVERY_LEVEL = Fraction(5, 100)
MINIMUM_BAD = 2  # one failure alone is never evidence

_CONVERGED = 1e-15
_MOST_TERMS = 10_000_000  # the continued fraction needs about the square root of the total; this bounds a broken input
_MOST_STEPS = 200  # Newton needs about six; halving the bracket alone needs at most about sixty
_ROOT_PRECISION = 1e-12
_FEW = 100
_SMALLEST = 1e-300


def upper_tail(bad: int, total: int, p: Fraction) -> float:
    """P(X >= bad) for X binomial over `total` events of probability p; relative error below 1e-9 down to 1e-300."""
    _check(total, p)
    if bad <= 0:
        return 1.0
    if bad > total or p == 0:
        return 0.0
    if p == 1:
        return 1.0
    # Exact while it can be: how far the count lies from its mean decides the last digits.
    return _upper(bad, total, float(p), float(1 - p), float(bad - total * p))


def lower_tail(bad: int, total: int, p: Fraction) -> float:
    """P(X <= bad) for X binomial over `total` events of probability p; relative error below 1e-9 down to 1e-300."""
    return upper_tail(total - bad, total, 1 - p)


def alpha_for(paging_streams: int) -> Fraction:
    """The level of a firing test for one of `paging_streams` streams that can page for one service."""
    if paging_streams < 1:
        raise ValueError(f"a firing test belongs to at least one paging stream, got {paging_streams}")
    return min(ALPHA_PER_STREAM, ALPHA_PER_SERVICE / paging_streams)


def rejects_within_budget(bad: int, total: int, objective: Fraction, alpha: Fraction) -> bool:
    """Whether so many bad events contradict "the error ratio is at most the budget" at level alpha.

    At least two bad events are needed. Where two counters were read apart and bad exceeds total, every bad event still
    was an event.
    """
    return bad >= MINIMUM_BAD and upper_tail(bad, max(total, bad), 1 - objective) <= alpha


def rejects_still_burning(bad: int, total: int, ratio: Fraction, level: Fraction = RECOVERY_LEVEL) -> bool:
    """Whether so few bad events contradict "the error ratio is still `ratio` or more". No events contradict nothing."""
    return total > 0 and lower_tail(bad, total, ratio) <= level


def clean_requests_needed(ratio: Fraction, level: Fraction = RECOVERY_LEVEL) -> int:
    """How many good events in a row, without one bad, reject "still burning at `ratio`"."""
    if not 0 < ratio <= 1:
        raise ValueError(f"the ratio that fired lies above 0 and at most at 1, got {ratio}")
    if ratio == 1:
        return 1
    needed = max(1, math.floor(math.log(level) / math.log1p(-float(ratio))))
    while not rejects_still_burning(0, needed, ratio, level):
        needed += 1
    return needed


def proportion_bounds(bad: int, total: int, alpha: Fraction) -> tuple[float, float]:
    """The exact (Clopper-Pearson) bounds of an error ratio, each wrong with probability at most alpha / 2.

    Without events nothing is known: (0.0, 1.0).
    """
    _check(total, alpha)
    if not 0 <= bad <= total or alpha == 0:
        raise ValueError(f"bounds need 0 <= bad <= total and a level above 0, got {bad} of {total} at {alpha}")
    side = float(alpha / 2)
    low = _smallest_ratio(bad, total, side) if bad else 0.0
    high = _largest_ratio(bad, total, side) if bad < total else 1.0
    return low, high


def rate_ratio_interval(
    n_base: int, t_base: int, n_now: int, t_now: int, confidence: Fraction = Fraction(95, 100)
) -> tuple[float, float | None]:
    """The exact interval of (n_now / t_now) / (n_base / t_base) for two Poisson counts over times of any one unit.

    Given the sum of both counts, the later one is binomial: bounds of its share are bounds of the ratio. The upper end
    is None where nothing bounds it, which is when the base counted nothing.
    """
    if t_base <= 0 or t_now <= 0:
        raise ValueError(f"both counting times must be positive, got {t_base} and {t_now}")
    low, high = proportion_bounds(n_now, n_base + n_now, 1 - confidence)
    times = t_base / t_now
    return low / (1 - low) * times, high / (1 - high) * times if n_base else None


def _check(total: int, p: Fraction) -> None:
    if total < 0 or not 0 <= p <= 1:
        raise ValueError(f"a binomial test needs total >= 0 and a probability, got total {total} and {p}")


def _upper(bad: int, total: int, p: float, q: float, away: float) -> float:
    """`upper_tail` for 0 < bad <= total, 0 < p = 1 - q < 1 and away = bad - total p, each to its own last digit."""
    if away > 0:
        return _beyond(bad, total, p, q, away)
    return 1.0 - _beyond(total - bad + 1, total, q, p, 1 - away)  # the good events, whose tail lies beyond their mean


def _beyond(bad: int, total: int, p: float, q: float, away: float) -> float:
    """The same above the mean."""
    point = _point(bad, total, p, q, away)
    # Near a ratio of 1 the fraction would lose the digits of 1 - p; there only the last count lies above the mean.
    return point if bad == total else point * q * _beta_fraction(bad, total - bad + 1, p)


def _point(k: int, n: int, p: float, q: float, away: float) -> float:
    """P(X = k) for k > 0, by Stirling's formula with its error terms and the two deviances from the means."""
    if k == n:
        return math.exp(n * _log(p, q))
    mean, rest = n * p, n * q
    deviance = mean * _deviance(away / mean) + rest * _deviance(-away / rest)
    stirling = _stirling_error(n) - _stirling_error(k) - _stirling_error(n - k)
    return math.sqrt(n / (2 * math.pi * k * (n - k))) * math.exp(stirling - deviance)


def _log(value: float, complement: float) -> float:
    """log(value) for value = 1 - complement, without losing the digits of a small complement."""
    return math.log1p(-complement) if complement < 0.5 else math.log(value)


def _deviance(u: float) -> float:
    """(1 + u) log(1 + u) - u; near 0 by its series, where the closed form cancels."""
    if abs(u) > 0.1:
        return (1 + u) * math.log1p(u) - u
    return u * u * sum((-u) ** j / ((j + 1) * (j + 2)) for j in range(18))


def _stirling_error(n: int) -> float:
    """log(n!) minus Stirling's formula; the series has 1e-15 from 16 on."""
    if n < 16:
        return math.lgamma(n + 1) - (n + 0.5) * math.log(n) + n - 0.5 * math.log(2 * math.pi)
    x = 1.0 / n
    y = x * x
    return x * (1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y / 1188))))


def _beta_fraction(a: int, b: int, x: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method (Numerical Recipes, section 6.4)."""
    c, d = 1.0, 1.0 / _nonzero(1.0 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d, c = 1.0 / _nonzero(1.0 + even * d), _nonzero(1.0 + even / c)
        value *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d, c = 1.0 / _nonzero(1.0 + odd * d), _nonzero(1.0 + odd / c)
        step = d * c
        value *= step
        if abs(step - 1.0) < _CONVERGED:
            return value
    raise ArithmeticError(f"the binomial tail did not converge for {a} and {b} at {x}")


def _nonzero(value: float) -> float:
    return value if abs(value) > _SMALLEST else _SMALLEST


def _smallest_ratio(bad: int, total: int, side: float) -> float:
    """The ratio at which `bad` or more events have probability `side`: Newton's method in the ratio's logarithm."""
    if bad == total:
        return math.exp(math.log(side) / total)

    def tail(u: float) -> tuple[float, float]:
        p, q = math.exp(u), -math.expm1(u)
        away = _away(bad, total, p, q)
        return _upper(bad, total, p, q, away), bad * _point(bad, total, p, q, away)

    return math.exp(_root(tail, math.log(side), math.log(bad / total), -800.0, 0.0, rising=True))


def _largest_ratio(bad: int, total: int, side: float) -> float:
    """The ratio at which `bad` or fewer events have probability `side`: Newton's method in the ratio itself."""
    if bad == 0:
        return -math.expm1(math.log(side) / total)
    good = total - bad
    if bad > good or total < _FEW:
        return 1.0 - _smallest_ratio(good, total, side)  # the ratio may lie nearer to 1 than a float can say

    def tail(p: float) -> tuple[float, float]:
        q = 1 - p
        away = -_away(bad, total, p, q)
        return _upper(good, total, q, p, away), -good * _point(good, total, q, p, away) / q

    return _root(tail, math.log(side), bad / total, 0.0, 1.0, rising=False)


def _away(bad: int, total: int, p: float, q: float) -> float:
    """bad - total p, taken from whichever side has the smaller numbers and so the finer digits."""
    return bad - total * p if p < 0.5 else total * q - (total - bad)


def _root(
    tail: Callable[[float], tuple[float, float]], goal: float, at: float, low: float, high: float, *, rising: bool
) -> float:
    """Where log(tail) equals goal; `tail` gives its value and slope. A step that leaves the bracket halves it."""
    for _ in range(_MOST_STEPS):
        value, slope = tail(at)
        gap = math.log(value) - goal if value > 0 else -math.inf
        if (gap > 0) is rising:
            high = at
        else:
            low = at
        step = -gap * value / slope if value > 0 and slope != 0 else math.inf  # an underflow has no slope to follow
        if abs(step) <= _ROOT_PRECISION * abs(at):
            return at
        at = at + step if low < at + step < high else (low + high) / 2
    return at
