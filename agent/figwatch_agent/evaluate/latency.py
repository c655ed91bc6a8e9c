"""A quantile from the buckets of a histogram, with the error the buckets leave.

Bounds and counts are all that it knows of a histogram. The exponential buckets of a native one are finite bounds and
counts as well (its zero bucket the first), so that whoever reads such a series hands over these two and nothing here
changes; rings then keep its counts by schema and offset, as they keep those of the contract's bounds now.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise


@dataclass(frozen=True, kw_only=True, slots=True)
class Quantile:
    """Where a quantile lies; all values in seconds, like the bounds."""

    low: float  # surely at least this (above it, unless it is the histogram's 0)
    high: float | None  # surely at most this; None beyond the last bound
    estimate: float | None  # linear inside the bucket, as Prometheus does; None beyond the last bound


def quantile(bounds: Sequence[float], counts: Sequence[int], q: Fraction) -> Quantile | None:
    """The q-quantile of observed durations; None when nothing was observed.

    `bounds` are the finite upper bounds (`le`) in seconds, ascending; `counts` the observations of each bucket by
    itself, with one more for the bucket without a bound (+Inf). The quantile is the ceil(q n)-th smallest observation.
    """
    _check(bounds, counts, q)
    total = sum(counts)
    if not total:
        return None
    rank = q * total
    cumulative = list(accumulate(counts))
    at = next(i for i, reached in enumerate(cumulative) if reached >= rank)
    low = bounds[at - 1] if at else min([0.0, *bounds])
    if at == len(bounds):
        return Quantile(low=low, high=None, estimate=None)
    inside = float((rank - (cumulative[at] - counts[at])) / counts[at])
    high = bounds[at]
    return Quantile(low=low, high=high, estimate=min(high, low + (high - low) * inside))


def rank_bucket(inside: Sequence[int], edge: Sequence[int], q: Fraction) -> tuple[int, int] | None:
    """(first, last) bucket in which the q-quantile may lie, where the events of `edge` may be in the window or not.

    Both hold the observations of each bucket by itself. None when nothing was surely observed. The lowest comes with
    the edge's observations up to a bucket in the window and those above it out, the highest the other way round.
    """
    if not 0 < q <= 1:
        raise ValueError(f"a quantile lies above 0 and at most at 1, got {q}")
    surely, maybe = list(accumulate(inside)), list(accumulate(max(each, 0) for each in edge))
    if not surely or not surely[-1]:
        return None
    total, other = surely[-1], maybe[-1]
    low = next(i for i in range(len(surely)) if surely[i] + maybe[i] >= q * (total + maybe[i]))
    high = next(i for i in range(len(surely)) if surely[i] >= q * (total + other - maybe[i]))
    return low, high


def _check(bounds: Sequence[float], counts: Sequence[int], q: Fraction) -> None:
    if not 0 < q <= 1:
        raise ValueError(f"a quantile lies above 0 and at most at 1, got {q}")
    if len(counts) != len(bounds) + 1:
        raise ValueError(f"{len(bounds)} bounds make {len(bounds) + 1} buckets with the last one, got {len(counts)}")
    if any(lower >= upper for lower, upper in pairwise(bounds)) or not all(map(math.isfinite, bounds)):
        raise ValueError(f"bucket bounds are finite and ascending, got {list(bounds)}")
    if any(count < 0 for count in counts):
        raise ValueError(f"bucket counts are increases and cannot be negative, got {list(counts)}")
