"""What a page says in its first line, and where it leads."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest

from figwatch_agent.engine.paging import _percent_told
from figwatch_agent.model.names import Mode
from figwatch_agent.model.outcome import TransitionKind
from figwatch_agent.model.page import PageKind
from support.world import CHAT, World, settings


def failing(mode: Mode = Mode.AUTO, legacy_bad: int = 0) -> World:
    """Half of the service side fails."""
    world = World(conf=settings(mode=mode))
    world.both(30)
    world.both(20, service_bad=20, legacy_bad=legacy_bad)
    return world


def test_a_rollback_that_is_withheld_says_why_in_the_first_line() -> None:
    first = failing(legacy_bad=5).rows(PageKind.TRIGGER)[0].page.headline
    assert first.startswith(f"{CHAT}: ")
    assert "; no rollback" in first
    assert "_" not in first.removeprefix(CHAT), "words for people, not for machines"


def test_a_question_that_was_open_is_answered_once_however_often_it_opens_again() -> None:
    world = World(conf=settings(mode=Mode.AUTO))
    world.legacy_ok = False
    world.both(30, rate=10, legacy=4)
    chance = Random(5)
    for _ in range(60):
        world.both(1, service_bad=sum(chance.random() < 0.3 for _ in range(10)), rate=10, legacy=4)
    (first,) = [row.page.headline for row in world.rows(PageKind.TRIGGER)]
    assert first.endswith("no rollback yet: comparing with legacy, the decision follows")
    assert len(world.said(TransitionKind.DECIDED)) == 4, "the question opens again and again"
    (update,) = [row.page.headline for row in world.rows(PageKind.UPDATE)]
    assert update.endswith("no rollback: legacy is not fit to take over")


def test_a_rollback_that_helped_comes_first_and_failures_are_told_as_past() -> None:
    world = failing()
    world.rolled_back()
    for _ in range(20):
        world.serve(side="legacy", good=50)
        world.tick()
    updates = [row.page.headline for row in world.rows(PageKind.UPDATE)]
    assert any(f"{CHAT}: the rollback helped; " in line and "requests failed in" in line for line in updates)


def test_the_runbook_is_that_of_what_began_the_incident() -> None:
    world = failing()
    assert {row.page.runbook_url for row in world.rows()} == {"https://example.org/runbooks/EarlyOutage"}


def test_what_hit_no_user_is_not_said_to_have_hit_users() -> None:
    world = World()
    world.both(30)
    world.up = False
    for _ in range(200):
        world.tick()
    world.up = True
    world.both(60)
    (over,) = [row.page.headline for row in world.rows(PageKind.RESOLVE)]
    assert "over after" in over
    assert "users" not in over


@pytest.mark.parametrize(
    ("ratio", "told"),
    [
        (Fraction(354839, 1000000), "35.5%"),
        (Fraction(1, 5), "20%"),
        (Fraction(1), "100%"),
        (Fraction(0), "0%"),
        (Fraction(1, 5000), "0.02%"),
        (Fraction(4999, 5000), "99.98%"),
    ],
)
def test_a_share_has_one_decimal_and_never_reads_all_or_nothing_where_it_is_neither(ratio: Fraction, told: str) -> None:
    assert _percent_told(ratio) == told


def test_the_time_that_a_message_names_is_the_one_in_which_its_requests_were_counted() -> None:
    world = failing()
    world.rolled_back()
    for _ in range(20):
        world.serve(side="legacy", good=50)
        world.tick()
    page = world.rows(PageKind.RESOLVE)[0].page
    assert page.facts is not None
    assert page.facts.over == page.at - page.incident.impact_start
    assert page.facts.total <= 100 * page.facts.over // 1000


def test_nobody_is_told_when_the_budget_will_be_gone_once_the_impact_is_over() -> None:
    world = failing()
    world.rolled_back()
    for _ in range(20):
        world.serve(side="legacy", good=50)
        world.tick()
    over = [row.page for row in world.rows() if row.page.incident.mitigated_at is not None]
    assert over
    assert all(page.facts is not None and page.facts.exhausted_in in (None, 0) for page in over)
