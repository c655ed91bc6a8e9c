"""The pages on which somebody signs in or asks for something: few, small, and complete without scripts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import jinja2
from aiohttp import web

from figwatch_agent.report.words import visible
from figwatch_agent.web.csrf import local_path
from figwatch_agent.web.session import Session

LASTING: Final = (
    ("30m", "30 minutes"),
    ("1h", "1 hour"),
    ("2h", "2 hours"),
    ("8h", "8 hours: a night"),
    ("1d", "1 day"),
    ("3d", "3 days: a weekend"),
    ("7d", "7 days"),
)
"""How long a silence may last, as the form offers it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSteps:
    """A plan as somebody reads it before they approve it."""

    name: str
    digest: str
    data: str
    data_loss: str
    steps: tuple[Mapping[str, object], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One wish before it is made."""

    kind: str
    subject: str
    about: str  # what the subject is, for people
    next: str  # where to go afterwards
    token: str  # of the session
    key: str  # the same however often the form is sent
    values: Mapping[str, str] = field(default_factory=dict)  # as typed
    problems: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by field; "" for the form as a whole
    plan: PlannedSteps | None = None  # of an approval
    blocked: str = ""  # why there is nothing to send


class Doors:
    """Renders templates; it decides nothing."""

    def __init__(self, stylesheet: Callable[[], str], *, tokens: bool, public: bool) -> None:
        """``stylesheet``: the path of it; ``tokens``: whether any is set up; ``public``: whether strangers may look."""
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("figwatch_agent.web"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters["visible"] = visible
        self._environment.globals.update(lasting=LASTING, tokens=tokens, public=public)
        self._stylesheet = stylesheet

    def sign_in(
        self, request: web.Request, status: int, problem: str, headers: Mapping[str, str], onward: str = ""
    ) -> web.Response:
        """The form that asks for a token. ``onward``: where to go with it, this page if left out.

        The cookie does not come along when a link elsewhere leads here. A page of our own that asks at once again is
        sent it, so somebody who is signed in sees this form for no longer than that.
        """
        here = local_path(onward or request.path_qs if request.method == "GET" or onward else "/")
        again = request.method == "GET" and request.headers.get("Sec-Fetch-Site") == "cross-site" and status == 401
        return self._page("sign_in.html", status, headers, problem=problem, onward=here, again=again)

    def form(self, form: Form, session: Session, status: int = 200) -> web.Response:
        """One form, with what is wrong with it beside its fields."""
        return self._page("act.html", status, {}, form=form, who=session)

    def _page(self, template: str, status: int, headers: Mapping[str, str], **values: Any) -> web.Response:
        text = self._environment.get_template(template).render(stylesheet=self._stylesheet(), **values)
        return web.Response(text=text, status=status, headers=headers, content_type="text/html", charset="utf-8")
