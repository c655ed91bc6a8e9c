"""Badges: two words in an SVG for a README or a wall. Unknown is grey and says so; no colour speaks alone."""

from fractions import Fraction
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from figwatch_agent.model.names import Severity, Verdict
from figwatch_agent.model.view import Measured, View
from figwatch_agent.report.criteria import criterion_document, verdict_of
from figwatch_agent.report.scale import figure
from figwatch_agent.report.words import quantity, visible

GOOD, POOR, BAD, GREY = "#1a7f37", "#9a6700", "#cf222e", "#57606a"
"""White on each of these has a contrast of at least 4.5, as WCAG AA asks of text."""

LONGEST: Final = 40
HEIGHT: Final = 20

_NARROW: Final = frozenset("iljtfI|.,:;'!()[]{}` ")
_WIDE: Final = frozenset("mwMW%@")


def route_badge(view: View, route: str) -> str | None:
    """How one route is now; None for a route that no file declares."""
    if all(each.route != route for each in view.routes):
        return None
    opened = [each for each in view.incidents if each.open and each.route == route]
    streams = [each for each in view.streams if each.route == route]
    left = [each.budget_left for each in streams if each.budget_left is not None and each.state != "unknown"]
    if any(each.severity is Severity.PAGE for each in opened):
        return badge(route, "failing", BAD)
    if opened:
        return badge(route, "degraded", POOR)
    if not streams or any(each.state == "unknown" for each in streams):
        return badge(route, "unknown", GREY)
    if not left:
        return badge(route, "no requests", GREY)
    return badge(route, f"{figure(min(left), 'ratio')} budget left", _of_budget(min(left)))


def criterion_badge(view: View, name: str) -> str | None:
    """The verdict on one criterion with its figure; None for one that no file declares."""
    found = next((each for each in view.criteria if each.criterion.name == name), None)
    return None if found is None else badge(name, _said(found), _COLOURS[verdict_of(found)[0]])


def badge(label: str, message: str, colour: str) -> str:
    """The picture; its title says the same for those who cannot see it."""
    label, message = _short(label), _short(message)
    left, right = text_width(label) + 10, text_width(message) + 10
    title = f"{label}: {message}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{HEIGHT}" role="img" '
        f"aria-label={quoteattr(title)}><title>{escape(title)}</title>"
        f'<path fill="#24292f" d="M0 0h{left}v{HEIGHT}H0z"/>'
        f'<path fill="{colour}" d="M{left} 0h{right}v{HEIGHT}h-{right}z"/>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f'<text x="5" y="14" textLength="{left - 10}">{escape(label)}</text>'
        f'<text x="{left + 5}" y="14" textLength="{right - 10}">{escape(message)}</text></g></svg>\n'
    )


def text_width(text: str) -> int:
    """Pixels of a text in Verdana at 11: a table of three widths is within a tenth, and textLength does the rest."""
    return sum(4 if c in _NARROW else 11 if c in _WIDE or not c.isascii() else 8 if c.isupper() else 7 for c in text)


def _said(measured: Measured) -> str:
    verdict = verdict_of(measured)[0]
    if measured.estimate is None:
        return verdict.value
    value = criterion_document(measured)["value"]
    return f"{verdict.value}, {quantity(value, measured.unit) if isinstance(value, int | float) else verdict.value}"


def _of_budget(left: Fraction) -> str:
    return GOOD if left > Fraction(1, 4) else POOR if left > 0 else BAD


def _short(text: str) -> str:
    clean = visible(text)
    return clean if len(clean) <= LONGEST else clean[: LONGEST - 1] + "…"


_COLOURS: Final = {Verdict.MET: GOOD, Verdict.MISSED: BAD, Verdict.INCONCLUSIVE: GREY}
