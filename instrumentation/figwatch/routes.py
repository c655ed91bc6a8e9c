"""Raw path -> bounded route template.

A template is a path whose segments may be parameters: `/api/v1/chat/{id}`. A parameter takes exactly one segment that
is not empty; `{rest:path}` as the last segment takes all that follow. One trailing slash is neither here nor there.
Where several templates match, the first segment in which they differ decides: spelled out before `{x}` before
`{rest:path}`, so that the longest spelled-out match wins.
"""

import re
import threading
from collections.abc import Callable, Iterable
from typing import Final, Generic, TypeVar

from figwatch import contract
from figwatch.errors import RouteError

TEMPLATE_CAP: Final = 500
"""Distinct templates one application may count; the rest is `__overflow__`."""

# Compiled when first used, not at import: a service pays for that in every process it starts.
_PARAMETER: Final = r"\{[^{}/]+\}"
_REST: Final = r"\{[^{}/]+:path\}"
_FOREIGN: Final = r"<(?:[^<>:]*:)?([^<>:]+)>|\{([^{}:]+):(?!path\})[^{}]*\}"

Value = TypeVar("Value")


class _Node(Generic[Value]):
    """One segment of the compiled templates."""

    __slots__ = ("literal", "parameter", "rest", "value")

    def __init__(self) -> None:
        self.literal: dict[str, _Node[Value]] = {}
        self.parameter: _Node[Value] | None = None
        self.rest: Value | None = None  # of the template that takes all that follows
        self.value: Value | None = None  # of the template that ends here


class RouteTree(Generic[Value]):
    """Templates compiled once into a tree; a lookup visits each node at most once."""

    def __init__(self, rules: Iterable[tuple[str, Value]]) -> None:
        """Raises RouteError for a template that cannot be, or two that match the same paths."""
        self._root: _Node[Value] = _Node()
        self._above: _Node[Value] = _Node()
        self._above.literal[""] = self._root
        # Short cuts for what most templates are: all spelled out, or so but for the last segment. The tree would come
        # to the same end, since what is spelled out wins: at three times the price.
        self._spelled: dict[str, Value] = {}
        self._but_last: dict[str, Value] = {}
        for template, value in rules:
            self._add(template, value)

    def find(self, path: str) -> Value | None:
        """The value of the best template for `path` (decoded, without query), or None."""
        found = self._spelled.get(path)
        if found is None:
            head, slash, last = path.rpartition("/")
            found = self._but_last.get(head) if slash and last else None
        return found if found is not None else self._search(path)

    def _search(self, path: str) -> Value | None:
        if path[:1] != "/":
            return None
        segments = path.split("/")  # the first is empty, and leads from above to the root
        if not segments[-1]:
            segments.pop()  # one trailing slash is neither here nor there
        node = self._above
        # Greedy first: where the spelled-out way leads to an end, it is the best one. Only a dead end needs the search.
        for segment in segments:
            child = node.literal.get(segment)
            if child is None:
                child = node.parameter if segment else None
                if child is None:
                    return _find(self._above, segments, 0)
            node = child
        return node.value if node.value is not None else _find(self._above, segments, 0)

    def _add(self, template: str, value: Value) -> None:
        segments = check_template(template)
        node = self._root
        for index, segment in enumerate(segments):
            if re.fullmatch(_REST, segment):
                if index != len(segments) - 1:
                    raise RouteError(f"route {template!r}: {segment} takes all that follows and must stand last")
                _refuse_twin(template, node.rest)
                node.rest = value
                above = "/".join(["", *segments[:-1]])
                if above and "{" not in above:
                    self._spelled.setdefault(above, value)  # the rest may be empty; what is spelled out to the end wins
                return
            node = _child(node, segment)
        _refuse_twin(template, node.value)
        node.value = value
        *head, last = ["", *segments]
        if "{" not in "".join(head):
            (self._but_last if "{" in last else self._spelled)["/".join(head if "{" in last else [*head, last])] = value


def segments_of(path: str) -> list[str]:
    """The segments of a path, one trailing slash ignored: `/` has none, `/a/` has one, `//` has one that is empty."""
    if path in ("/", ""):
        return []
    return (path[1:-1] if path[-1] == "/" else path[1:]).split("/")


def check_template(template: str) -> list[str]:
    """The segments of a template; raises RouteError with what to write instead."""
    if not template.startswith("/"):
        raise RouteError(f"route {template!r} must start with a slash: write {'/' + template!r}")
    if any(mark in template for mark in "?# \t\r\n"):
        raise RouteError(f"route {template!r} must be a bare path, without query, fragment or blanks")
    segments = segments_of(template)
    for segment in segments:
        braced = "{" in segment or "}" in segment
        if not segment or (braced and not re.fullmatch(_PARAMETER, segment)):
            raise RouteError(f"route {template!r}: segment {segment!r} must be plain text, {{name}} or {{name:path}}")
    return segments


def canonical(template: str) -> str:
    """A framework's template in our spelling: `/a/<int:id>/` and `/a/{id:int}` are both `/a/{id}`."""
    spelled = re.sub(_FOREIGN, lambda match: "{" + (match[1] or match[2]) + "}", template)
    rooted = spelled if spelled.startswith("/") else "/" + spelled
    return rooted[:-1] if len(rooted) > 1 and rooted.endswith("/") else rooted


def slash_or_none(path: str | None) -> frozenset[str]:
    """A path with and without a slash at its end; nothing for None."""
    return frozenset() if path is None else frozenset({path, path.rstrip("/") + "/"})


class Routes:
    """Names the route of a request: the framework's template, else one of the declared ones, else `__unmatched__`."""

    def __init__(self, templates: Iterable[str], folded: Callable[[str], None], cap: int = TEMPLATE_CAP) -> None:
        """`folded` is told the metric's name when a template beyond `cap` is counted as `__overflow__`."""
        self._tree: RouteTree[str] = RouteTree((template, canonical(template)) for template in templates)
        self._folded = folded
        self._cap = cap
        self.known: dict[str, str] = {}
        """The bounded route of each template that the framework has chosen so far."""
        self._lock = threading.Lock()

    def name(self, framework_template: str | None, path: str) -> str:
        """The bounded route of a request."""
        if framework_template is None:
            return self._tree.find(path) or contract.UNMATCHED_ROUTE
        return self.known.get(framework_template) or self._admit(framework_template)

    def _admit(self, template: str) -> str:
        with self._lock:
            if len(self.known) < self._cap:
                return self.known.setdefault(template, canonical(template))
        self._folded(contract.REQUEST_DURATION)
        return contract.OVERFLOW_ROUTE


def _find(node: _Node[Value], segments: list[str], index: int) -> Value | None:
    if index == len(segments):
        return node.value if node.value is not None else node.rest
    segment = segments[index]
    child = node.literal.get(segment)
    found = _find(child, segments, index + 1) if child is not None else None
    if found is None and segment and node.parameter is not None:
        found = _find(node.parameter, segments, index + 1)
    return found if found is not None else node.rest


def _child(node: _Node[Value], segment: str) -> _Node[Value]:
    if not re.fullmatch(_PARAMETER, segment):
        return node.literal.setdefault(segment, _Node())
    if node.parameter is None:
        node.parameter = _Node()
    return node.parameter


def _refuse_twin(template: str, value: object) -> None:
    if value is not None:
        raise RouteError(f"route {template!r} matches the same paths as an earlier one: keep one of them")
