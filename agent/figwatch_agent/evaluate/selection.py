"""Which series count for what: the request histogram of the contract, and selectors of one's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from figwatch import contract
from figwatch_agent.model.batch import Series
from figwatch_agent.model.selector import Selector

GONE = frozenset({contract.CLIENT_DISCONNECT})
"""Error types that are neither good nor bad: the client went away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSeries:
    """A series of one of the contract's request histograms, read."""

    histogram: str  # contract.REQUEST_DURATION or contract.TIME_TO_FIRST_BYTE
    bound: Fraction | None  # upper bound in seconds of a bucket; None for the count
    endless: bool  # the bucket without an upper bound
    route: str
    side: str  # one of contract.SIDES
    vantage: str
    failed: bool
    gone: bool  # the client went away

    @property
    def counts_all(self) -> bool:
        """Whether this is the series that counts every request once."""
        return self.bound is None and not self.endless


_HISTOGRAMS = (contract.REQUEST_DURATION, contract.TIME_TO_FIRST_BYTE)


def read_request(series: Series) -> RequestSeries | None:
    """The series as part of a request histogram, or None where it is none (sums included)."""
    for histogram in _HISTOGRAMS:
        if series.name == histogram + "_count":
            return _request(histogram, series.mapping(), None, endless=False)
        if series.name == histogram + "_bucket":
            labels = series.mapping()
            bound = parse_bound(labels.get("le", ""))
            return _request(histogram, labels, bound, endless=bound is None)
    return None


def parse_bound(text: str) -> Fraction | None:
    """The exact value of an ``le`` label; None for +Inf and for what is no number."""
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None


def failed(status: str, error_type: str) -> bool:
    """Bad for availability: a 5xx answer, or an error of any type but the client's going away; 4xx is good."""
    return (status.startswith("5") and len(status) == 3) or (error_type not in ("", status) and error_type not in GONE)


def _request(histogram: str, labels: Mapping[str, str], bound: Fraction | None, *, endless: bool) -> RequestSeries:
    error_type = labels.get(contract.ERROR_TYPE, "")
    side = labels.get(contract.SERVED_BY, "")
    return RequestSeries(
        histogram=histogram,
        bound=bound,
        endless=endless,
        route=labels.get(contract.ROUTE, ""),
        side=side if side in contract.SIDES else "unknown",
        vantage=labels.get(contract.VANTAGE, ""),
        failed=failed(labels.get(contract.STATUS, ""), error_type),
        gone=error_type in GONE,
    )


def selected(selectors: tuple[Selector, ...], series: Series, suffix: str = "") -> bool:
    """Whether a series belongs to any of the selectors, whose metric names are continued by ``suffix``."""
    labels: Mapping[str, str] | None = None
    for selector in selectors:
        if selector.metric + suffix != series.name:
            continue
        labels = labels if labels is not None else series.mapping()
        if all(matcher.matches(labels.get(matcher.label, "")) for matcher in selector.matchers):
            return True
    return False
