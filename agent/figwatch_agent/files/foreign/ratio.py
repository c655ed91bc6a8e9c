"""From queries of other tools to an SLI of ours: selectors where their shape allows it, else PromQL, else nothing."""

import re
from fractions import Fraction
from typing import Any, Final, Literal, NamedTuple

from figwatch_agent.durations import SECOND, parse_duration
from figwatch_agent.files.foreign.pieces import USUAL, Query
from figwatch_agent.files.foreign.promql_text import decimal_text
from figwatch_agent.files.foreign.terms import Terms, nothing, terms_of, without_brackets
from figwatch_agent.files.foreign.window_template import WINDOW, over_window
from figwatch_agent.files.selectors import parsed
from figwatch_agent.model.selector import Matcher, Selector
from figwatch_agent.model.slo import Events, Histogram, Promql, Sli

Side = Literal["good", "bad"]

APART: Final = (
    "the query keeps series apart (by, without, or no sum), and one error budget is kept for all of them here"
)
KEPT: Final = "the query is no sum of counters, so it is kept as PromQL, which needs source: {prometheus: ...}"
AS_RATE: Final = "it is taken for events a second, as no function in it counts a range"
COMPUTED: Final = "a counter that is computed from others has no rate: give the rates themselves, and counter: false"
NO_COUNTS: Final = "a ratio alone has no counts, and an error budget is a sum of counts"

_LE: Final = re.compile(
    r"([0-9]+)(?:\(\\\.0\)\?|\|\1\\\.0)"
)  # 1(\.0)? and 1|1\.0: a bound as Prometheus 2 and 3 write it
_RATES: Final = re.compile(r"\b(?:rate|irate)\s*\(")
_RANGES: Final = re.compile(r"\[\s*(\$window|[0-9]+(?:ms|[smhdwy])[0-9a-z]*)")
_DIGITS: Final = 15


class Found(NamedTuple):
    """An SLI, or None with the reason; ``said`` is worth knowing."""

    sli: Sli | None
    said: tuple[str, ...] = ()


def sli_of_counts(side: Side, part: Query, total: Query, *, raw: bool = False) -> Found:
    """An SLI of the good or the bad events, and of all."""
    return _judged(side, terms_of(part.tree, raw=raw), terms_of(total.tree, raw=raw)) or _kept(side, part, total, raw)


def sli_of_both(good: Query, bad: Query, *, raw: bool = False) -> Found:
    """An SLI of good and bad events, which together are all."""
    of_good, of_bad = terms_of(good.tree, raw=raw), terms_of(bad.tree, raw=raw)
    both = None if of_good is None or of_bad is None else of_good.added(of_bad)
    total = Query(f"({good.text}) + ({bad.text})", good.tree)
    return _judged("bad", of_bad, both) or _kept("bad", bad, total, raw)


def sli_of_terms(side: Side, part: Terms, total: Terms) -> Found:
    """An SLI of counters that are known by name."""
    return _judged(side, part, total) or Found(None, ("its counters are no part of the total",))


def sli_of_ratio(side: Side, ratio: Query) -> Found:
    """An SLI of a ratio: good / total, or bad / total, or 1 minus the other one."""
    parts = _fraction(ratio.tree)
    if parts is None:
        return Found(None, (NO_COUNTS,))
    turned, part, total = parts
    actual: Side = side if not turned else "bad" if side == "good" else "good"
    judged = _judged(actual, terms_of(part), terms_of(total))
    if judged is not None:
        return judged
    return _kept(actual, Query(part.prettify(), part), Query(total.prettify(), total), False)


def _fraction(tree: Any) -> tuple[bool, Any, Any] | None:
    """Whether it is turned around, the part, and the whole."""
    import promql_parser

    tree = without_brackets(tree)
    if not isinstance(tree, promql_parser.BinaryExpr):
        return None
    if str(tree.op) == "-" and _one(tree.lhs):
        inner = _fraction(tree.rhs)
        return None if inner is None else (not inner[0], inner[1], inner[2])
    if str(tree.op) != "/":
        return None
    return False, tree.lhs, _where_positive(tree.rhs)


def _one(tree: Any) -> bool:
    import promql_parser

    tree = without_brackets(tree)
    return isinstance(tree, promql_parser.NumberLiteral) and tree.val == 1


def _where_positive(tree: Any) -> Any:
    """A whole without ``> 0``, which only leaves out what has no events."""
    import promql_parser

    tree = without_brackets(tree)
    if isinstance(tree, promql_parser.BinaryExpr) and str(tree.op) in (">", "!=") and nothing(tree.rhs):
        return tree.lhs
    return tree


def _judged(side: Side, part: Terms | None, total: Terms | None) -> Found | None:
    """An SLI of selectors; None where these do not say it."""
    if part is None or total is None or total.minus or not total.plus:
        return None
    said = (APART,) if part.apart or total.apart else ()
    if part.minus:  # total - good is bad
        if sorted(part.plus, key=repr) != sorted(total.plus, key=repr):
            return None
        side, part = ("bad" if side == "good" else "good"), Terms(part.minus)
    if not part.plus or _twice(part.plus) or _twice(total.plus):
        return None
    histogram = _histogram(part.plus, total.plus) if side == "good" else None
    if histogram is not None:
        return Found(histogram, said)
    good, bad = (part.plus, ()) if side == "good" else ((), part.plus)
    return Found(Events(total=total.plus, good=good, bad=bad), said)


def _twice(selectors: tuple[Selector, ...]) -> bool:
    return len(set(selectors)) < len(selectors)


def _histogram(good: tuple[Selector, ...], total: tuple[Selector, ...]) -> Histogram | None:
    """The histograms whose buckets are good and whose counts are the total."""
    buckets = [_bucket(one) for one in good]
    wholes = [_whole(one) for one in total]
    thresholds = {one[1] for one in buckets if one is not None}
    if None in buckets or None in wholes or len(thresholds) != 1:
        return None
    names = [one[0] for one in buckets if one is not None]
    if sorted(map(_key, names)) != sorted(_key(one) for one in wholes if one is not None):
        return None
    threshold = thresholds.pop()
    if not threshold > 0 or len(decimal_text(threshold) or "0" * 99) > _DIGITS:
        return None
    return Histogram(selectors=tuple(names), threshold=threshold)


def _key(selector: Selector) -> str:
    return f"{selector.metric} {sorted(map(repr, selector.matchers))}"


def _bucket(selector: Selector) -> tuple[Selector, Fraction] | None:
    bounds = [_bound(matcher) for matcher in selector.matchers if matcher.label == "le"]
    if not selector.metric.endswith("_bucket") or len(bounds) != 1 or bounds[0] is None:
        return None
    return _bare(selector, "_bucket"), bounds[0]


def _bound(matcher: Matcher) -> Fraction | None:
    """The bound that a matcher of ``le`` chooses; None where it chooses none, or more than one."""
    text = matcher.value
    if matcher.operator == "=~":
        found = _LE.fullmatch(text)
        text = found[1] if found is not None else ""
    elif matcher.operator != "=":
        return None
    if len(text) > 40 or not re.fullmatch(r"[0-9]*\.?[0-9]+(?:e[-+]?[0-9]{1,2})?", text):
        return None
    return Fraction(text)


def _whole(selector: Selector) -> Selector | None:
    if selector.metric.endswith("_count"):
        return _bare(selector, "_count") if not any(one.label == "le" for one in selector.matchers) else None
    endless = [one for one in selector.matchers if one.label == "le" and one.operator == "=" and one.value == "+Inf"]
    return _bare(selector, "_bucket") if selector.metric.endswith("_bucket") and endless else None


def _bare(selector: Selector, suffix: str) -> Selector:
    matchers = tuple(one for one in selector.matchers if one.label != "le")
    return Selector(metric=selector.metric.removesuffix(suffix), matchers=matchers)


def _kept(side: Side, part: Query, total: Query, raw: bool) -> Found:
    """The queries themselves, as events a second."""
    if raw:
        rates = [_rate(query) for query in (part, total)]
        if None in rates:
            return Found(None, (COMPUTED,))
        part, total = (rate for rate in rates if rate is not None)
    bad = part.text if side == "bad" else f"{_summed(total)} - ({_summed(part)} or vector(0))"
    expressions = [_a_second(text) for text in (bad, total.text)]
    said = (KEPT, AS_RATE) if any(not _RANGES.search(text) for text in (part.text, total.text)) else (KEPT,)
    return Found(Promql(bad=expressions[0], total=expressions[1]), said)


def _summed(query: Query) -> str:
    """The sum of all series of a query, so that no label keeps the two sides of a difference apart."""
    import promql_parser

    tree = query.tree
    plain = isinstance(tree, promql_parser.AggregateExpr) and str(tree.op) == "sum" and tree.modifier is None
    return query.text if plain else f"sum({query.text})"


def _rate(query: Query) -> Query | None:
    """The rate of a counter, or of the sum of some; None where it is computed from several."""
    import promql_parser

    tree = without_brackets(query.tree)
    if isinstance(tree, promql_parser.AggregateExpr) and str(tree.op) == "sum":
        tree = without_brackets(tree.expr)
    if not isinstance(tree, promql_parser.VectorSelector):
        return None
    text = f"sum(rate({over_window(tree.prettify())}))"
    return Query(text, parsed(text.replace(WINDOW, USUAL)))


def _a_second(text: str) -> str:
    """Events a second: what counts the events of a range is divided by it."""
    asked = text.replace(WINDOW, USUAL)
    if _RATES.search(text) or not _RANGES.search(text):
        return asked
    return f"({asked}) / {_seconds(asked)}"


def _seconds(text: str) -> int:
    """Length of the first range in a query, which counts its events."""
    found = _RANGES.search(text)
    try:
        return max(1, parse_duration(found[1] if found else USUAL) // SECOND)
    except ValueError:  # years, which nobody counts events by
        return parse_duration(USUAL) // SECOND
