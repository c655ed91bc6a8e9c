"""PromQL in files: vector selectors that become values, and expressions that a Prometheus source evaluates."""

import re
from typing import Any, get_args

from pydantic_core import core_schema

from figwatch_agent.files.diagnostics import quoted
from figwatch_agent.files.fields import STR, string
from figwatch_agent.files.schema import scalar, wrong
from figwatch_agent.model.selector import Matcher, Operator, Selector

MAX_LENGTH = 4096
OPERATORS = dict(
    zip(("MatchOp.Equal", "MatchOp.NotEqual", "MatchOp.Re", "MatchOp.NotRe"), get_args(Operator), strict=True)
)
_SUFFIX = re.compile(r"_(bucket|count|sum)$")


def parse_selector(text: str) -> Selector:
    """The value of a vector selector. Raises what a grammar piece raises when it is anything else or anything more."""
    return selector_of(parsed(text), text)


def selector_of(tree: Any, text: str) -> Selector:
    """The same for PromQL that is parsed already; ``text`` is for messages."""
    import promql_parser  # files without selectors do without it

    if not isinstance(tree, promql_parser.VectorSelector):
        raise wrong(
            f"{quoted(text)} is not a selector", 'write a metric and labels only, such as requests_total{code=~"5.."}'
        )
    if tree.offset is not None or tree.at is not None:
        raise wrong(f"{quoted(text)} looks at another time", "remove offset and @: figwatch chooses the window")
    if tree.matchers.or_matchers:
        raise wrong(f"{quoted(text)} joins labels with or", "write a list of selectors instead: their series are added")
    if not tree.name:
        raise wrong(f"{quoted(text)} names no metric", "begin with the metric's name, such as requests_total{...}")
    return Selector(metric=tree.name, matchers=tuple(_matcher(one) for one in tree.matchers.matchers))


def _matcher(found: Any) -> Matcher:
    if found.name == "__name__":
        raise wrong("__name__ is not taken as a label", "begin with the metric's name, or write a list of selectors")
    operator = OPERATORS[str(found.op)]
    if operator in ("=~", "!~"):
        try:
            re.compile(found.value)
        except re.error as error:
            raise wrong(f"{quoted(found.value)} is not a regular expression here: {error}") from None
    return Matcher(label=found.name, operator=operator, value=found.value)


def parsed(text: str) -> object:
    """The tree of an expression. Raises what a grammar piece raises where the text is no PromQL."""
    import promql_parser

    if len(text) > MAX_LENGTH:
        raise wrong(f"an expression of more than {MAX_LENGTH} characters is not taken")
    try:
        return promql_parser.parse(text)
    except ValueError as error:
        raise wrong(
            f"{quoted(text)} is not PromQL: {str(error).splitlines()[0] if str(error) else 'no reason given'}"
        ) from None
    except BaseException as error:  # the parser's panics derive from BaseException
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        raise wrong(f"{quoted(text)} is not PromQL") from None


def _selectors(value: object) -> tuple[Selector, ...]:
    texts = value if isinstance(value, list) else [value]
    if not texts:
        raise wrong("the list is empty", "name at least one selector")
    selectors = tuple(parse_selector(string(text, "a selector")) for text in texts)
    if len(set(selectors)) < len(selectors):
        raise wrong("a selector stands here twice, and its series would be counted twice", "remove one")
    return selectors


def _histograms(value: object) -> tuple[Selector, ...]:
    selectors = _selectors(value)
    for selector in selectors:
        found = _SUFFIX.search(selector.metric)
        if found is not None:
            name = selector.metric.removesuffix(found[0])
            raise wrong(f"{selector.metric} is a part of a histogram", f"name the histogram itself: {name}")
        if any(matcher.label == "le" for matcher in selector.matchers):
            raise wrong("le chooses a bucket", "remove it: the threshold chooses the bucket")
    return selectors


def _expression(value: object) -> str:
    import promql_parser

    text = string(value, "PromQL")
    if isinstance(parsed(text), (promql_parser.MatrixSelector, promql_parser.StringLiteral)):
        raise wrong(f"{quoted(text)} gives no number", "wrap it, such as sum(increase(requests_total[$window]))")
    return text


_SHOWN = core_schema.union_schema([STR, core_schema.list_schema(STR, min_length=1)])
SELECTORS = scalar(_selectors, _SHOWN)
HISTOGRAMS = scalar(_histograms, _SHOWN)
EXPRESSION = scalar(_expression, STR)
