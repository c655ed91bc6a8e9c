"""Templates: compiled once, everything escaped, a name that nobody gave is an error.

A page is a row of fragments, the blocks of its template; the layout puts them one below the other. A stream that keeps
an open page current sends only the fragments whose content changed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import Any, Final

import jinja2

from figwatch_agent.web.pages_pieces import badge, icon, meter, shares, stage
from figwatch_agent.web.pages_words import FILTERS

LAYOUT: Final = "layout.html"

_AGES: Final = re.compile(r'(<time class="age" [^>]*>)[^<]*')
"""What an age says changes by itself; a page has not changed because time went by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """A part of a page, as HTML."""

    name: str
    html: str
    digest: str  # of the content, ages left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A page without its frame."""

    template: str
    title: str
    state: str  # ok | bad | warn | unknown; the icon in the browser's tab
    say: str  # one sentence for those who listen
    at: str  # the tick that it shows, ISO 8601
    fragments: tuple[Fragment, ...]


class Templates:
    """The templates of this package."""

    def __init__(self) -> None:
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("figwatch_agent.web"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters.update(FILTERS)
        pieces = {each.__name__: each for each in (icon, badge, stage, shares, meter)}
        self._environment.globals["ui"] = pieces
        for name, template in (("large", "macros.html"), ("act", "_act.html")):
            self._environment.globals[name] = self._environment.get_template(template).module
        for template in self._environment.list_templates():
            self._environment.get_template(template)  # now, so that a page never meets another version's template

    def fragments(self, template: str, values: Mapping[str, Any]) -> tuple[Fragment, ...]:
        """Every block of a template, in the order of the file."""
        compiled = self._environment.get_template(template)
        return tuple(
            _fragment(name, "".join(block(compiled.new_context(dict(values)))))
            for name, block in compiled.blocks.items()
        )

    def page(self, content: Content, frame: Mapping[str, Any]) -> str:
        """The whole document."""
        return self._environment.get_template(LAYOUT).render(content=content, **frame)


@cache
def templates() -> Templates:
    """The templates, compiled once in a process: they depend on nothing but the package."""
    return Templates()


def digest_of(html: str) -> str:
    """Of what a fragment says, but for ages."""
    return blake2b(_AGES.sub(r"\1", html).encode("utf-8", "replace"), digest_size=6).hexdigest()


def _fragment(name: str, html: str) -> Fragment:
    shown = html.strip()
    return Fragment(name=name, html=shown, digest=digest_of(shown))
