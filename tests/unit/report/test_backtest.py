"""How right pages and rollbacks were: a truth table, a line for each way they can be."""

from __future__ import annotations

from fractions import Fraction

import pytest

from figwatch_agent.model.backtested import Page
from figwatch_agent.model.labelled import Labelled
from figwatch_agent.report.backtest import score_pages, score_rollbacks

END = 1000


def page(start: int, end: int | None, *, route: str = "/a", back: bool = False) -> Page:
    """One that fired ten later than its impact began."""
    return Page(
        route=route,
        impact_start=start,
        fired_at=start + 10,
        resolved_at=end,
        fired=("slo 1h",),
        would_roll_back_at=start + 20 if back else None,
    )


def label(start: int, end: int, right: bool | None = None, route: str = "/a") -> Labelled:
    """An incident that people remember."""
    return Labelled(start=start, end=end, route=route, rollback_right=right)


@pytest.mark.parametrize(
    ("pages", "labels", "precision", "recall"),
    [
        ([page(100, 200)], [label(150, 300)], Fraction(1), Fraction(1)),  # they overlap
        ([page(100, 200)], [label(200, 300)], Fraction(1), Fraction(1)),  # they touch
        ([page(100, 200)], [label(201, 300)], Fraction(0), Fraction(0)),  # they do not
        ([page(100, 200)], [label(100, 200, route="/b")], Fraction(0), Fraction(0)),  # of another route
        ([page(100, 200)], [label(100, 200, route="")], Fraction(1), Fraction(1)),  # of any route
        ([page(100, None)], [label(900, 950)], Fraction(1), Fraction(1)),  # it never ended
        ([page(100, 200), page(300, 400)], [label(100, 200)], Fraction(1, 2), Fraction(1)),  # one for nothing
        ([page(100, 200)], [label(100, 200), label(500, 600)], Fraction(1), Fraction(1, 2)),  # one is missed
        ([page(100, 200)], [label(100, 120), label(180, 200)], Fraction(1), Fraction(1)),  # one page for two
        ([], [label(100, 200)], None, Fraction(0)),  # nothing happened
        ([page(100, 200)], [], Fraction(0), None),  # nothing was to be found
    ],
)
def test_pages_are_right_where_people_remember_an_incident(
    pages: list[Page], labels: list[Labelled], precision: Fraction | None, recall: Fraction | None
) -> None:
    scored = score_pages(pages, labels, END)
    assert (scored.precision, scored.recall) == (precision, recall)


@pytest.mark.parametrize(
    ("pages", "labels", "precision", "recall", "unjudged"),
    [
        ([page(100, 200, back=True)], [label(100, 200, True)], Fraction(1), Fraction(1), 0),
        ([page(100, 200, back=True)], [label(100, 200, False)], Fraction(0), None, 0),  # it was wrong
        ([page(100, 200, back=True)], [], Fraction(0), None, 0),  # nobody remembers a reason
        ([page(100, 200, back=True)], [label(100, 200)], None, None, 1),  # nobody said
        ([page(100, 200)], [label(100, 200, True)], None, Fraction(0), 0),  # it was withheld
        ([page(100, 200)], [label(100, 200, False)], None, None, 0),  # rightly withheld
    ],
)
def test_rollbacks_are_right_where_the_list_says_so(
    pages: list[Page], labels: list[Labelled], precision: Fraction | None, recall: Fraction | None, unjudged: int
) -> None:
    scored = score_rollbacks(pages, labels, END)
    assert (scored.precision, scored.recall, scored.unjudged) == (precision, recall, unjudged)
