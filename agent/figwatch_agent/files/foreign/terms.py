"""Which counters a query adds and takes away, where it has one of the usual shapes."""

from typing import Any, Final, NamedTuple

from pydantic_core import PydanticCustomError

from figwatch_agent.files.selectors import selector_of
from figwatch_agent.model.selector import Selector

DEEPEST: Final = 60
"""Levels of a query that are looked at."""

COUNTING: Final = frozenset(("rate", "increase"))
"""Functions that count the events of a range."""


class Terms(NamedTuple):
    """The sum of ``plus`` without ``minus``. ``apart``: the query keeps some series apart that ours add."""

    plus: tuple[Selector, ...]
    minus: tuple[Selector, ...] = ()
    apart: bool = False

    def negated(self) -> "Terms":
        """The same with the other sign."""
        return Terms(self.minus, self.plus, self.apart)

    def added(self, other: "Terms") -> "Terms":
        """Both together; what one adds and the other takes away is gone."""
        plus, minus = [*self.plus, *other.plus], [*self.minus, *other.minus]
        for one in list(minus):
            if one in plus:
                plus.remove(one)
                minus.remove(one)
        return Terms(tuple(plus), tuple(minus), self.apart or other.apart)


def terms_of(tree: Any, *, raw: bool = False) -> Terms | None:
    """The counters of a query, or None where it has another shape. ``raw``: it names counters, not their rates."""
    return _Reader(raw).read(tree, 0, summed=False)


def without_brackets(tree: Any) -> Any:
    """What is inside of brackets, and of a fallback that stands for no events (``or vector(0)``)."""
    import promql_parser

    for _ in range(DEEPEST):
        if isinstance(tree, promql_parser.ParenExpr):
            tree = tree.expr
        elif isinstance(tree, promql_parser.BinaryExpr) and str(tree.op) == "or" and nothing(tree.rhs):
            tree = tree.lhs
        else:
            break
    return tree


def nothing(tree: Any, depth: int = 0) -> bool:
    """Whether an expression stands for no events at all: 0, vector(0), 0 * x."""
    import promql_parser

    if depth > DEEPEST:
        return False
    if isinstance(tree, promql_parser.NumberLiteral):
        return bool(tree.val == 0)
    if isinstance(tree, promql_parser.ParenExpr):
        return nothing(tree.expr, depth + 1)
    if isinstance(tree, promql_parser.Call) and tree.func.name == "vector":
        return nothing(tree.args[0], depth + 1)
    if isinstance(tree, promql_parser.BinaryExpr) and str(tree.op) == "*":
        return nothing(tree.lhs, depth + 1) or nothing(tree.rhs, depth + 1)
    return False


class _Reader:
    """Walks down a query."""

    def __init__(self, raw: bool) -> None:
        self._raw = raw

    def read(self, tree: Any, depth: int, *, summed: bool) -> Terms | None:
        """The terms of one node; ``summed``: the series are added further up."""
        import promql_parser

        tree = without_brackets(tree)
        if depth > DEEPEST:
            return None
        if isinstance(tree, promql_parser.AggregateExpr):
            return self._sum(tree, depth, summed=summed)
        if isinstance(tree, promql_parser.BinaryExpr):
            return self._binary(tree, depth, summed=summed)
        if isinstance(tree, promql_parser.Call) and tree.func.name in COUNTING:
            ranged = tree.args[0]
            if isinstance(ranged, promql_parser.MatrixSelector):
                return _counter(ranged.vector_selector, apart=not summed)
        if isinstance(tree, promql_parser.VectorSelector) and self._raw:
            return _counter(tree, apart=False)
        return None

    def _sum(self, tree: Any, depth: int, *, summed: bool) -> Terms | None:
        if str(tree.op) != "sum":
            return None
        inner = self.read(tree.expr, depth + 1, summed=True)
        apart = tree.modifier is not None and not summed
        return inner if inner is None or not apart else inner._replace(apart=True)

    def _binary(self, tree: Any, depth: int, *, summed: bool) -> Terms | None:
        import promql_parser

        op = str(tree.op)
        joined = tree.modifier is not None and tree.modifier.card != promql_parser.VectorMatchCardinality.OneToOne
        if op not in ("+", "-") or joined:
            return None
        left = self.read(tree.lhs, depth + 1, summed=summed)
        right = self.read(tree.rhs, depth + 1, summed=summed)
        if left is None or right is None:
            return None
        return left.added(right if op == "+" else right.negated())


def _counter(tree: Any, *, apart: bool) -> Terms | None:
    try:
        return Terms((selector_of(tree, str(tree.name)),), apart=apart)
    except PydanticCustomError:
        return None
