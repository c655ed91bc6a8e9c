"""Small pieces that stand on a page many times. A state is said by shape, word and colour, in this order.

They are functions and not macros of the templates, since a page of the overview holds a hundred of each.
"""

from collections.abc import Iterable
from functools import lru_cache

from markupsafe import Markup, escape


@lru_cache(maxsize=64)
def icon(state: str) -> Markup:
    """The shape of a state; the layout holds the shapes."""
    return Markup('<svg class="icon {0}" aria-hidden="true"><use href="#i-{0}"/></svg>').format(state)


@lru_cache(maxsize=256)
def badge(state: str, word: str) -> Markup:
    """A state with its word."""
    return Markup('<span class="badge {}">{}{}</span>').format(state, icon(state), word)


@lru_cache(maxsize=64)
def stage(word: str) -> Markup:
    """The stage of a route."""
    return Markup('<span class="stage stage-{0}">{0}</span>').format(word)


def shares(parts: Iterable[tuple[str, int]], total: int) -> Markup:
    """Who serves: shares of one bar, which are said in words beside it."""
    drawn, at = [], 0.0
    for name, number in parts:
        if number and total:
            width = number * 100 / total
            drawn.append(f'<rect class="side-{escape(name)}" x="{at:.3f}" width="{width:.3f}" height="8"/>')
            at += width
    return _bar("", "".join(drawn))


def meter(ratio: float | None, state: str) -> Markup:
    """A part of a whole; what is below nothing, or not known, is an empty bar."""
    full = 0.0 if ratio is None else min(max(ratio, 0.0), 1.0) * 100
    return _bar(f" {escape(state)}", f'<rect class="fill" width="{full:.2f}" height="8"/>')


def _bar(state: str, inside: str) -> Markup:
    return Markup(  # noqa: S704 (made of numbers and escaped words)
        f'<svg class="bar{state}" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">{inside}</svg>'
    )
