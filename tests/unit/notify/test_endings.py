"""When a row ends, and when it is tried again."""

from dataclasses import replace
from random import Random

import pytest

from figwatch_agent.durations import DAY, HOUR, MINUTE, SECOND
from figwatch_agent.model.effect import DeliveryState
from figwatch_agent.model.journal import Delivery, DeliveryResult, DeliveryResultKind
from figwatch_agent.model.page import PageKind
from figwatch_agent.notify.backoff import next_wait
from figwatch_agent.notify.endings import LEAST_ATTEMPTS, Ended, Postponed, after, effect_of
from support.model_values import NOON, a_row
from support.notify import ACCEPTED, LOST, REFUSED, RETRY

CURABLE = DeliveryResult(kind=DeliveryResultKind.REFUSED, reason="secret_unreadable")


def tried(kind: PageKind = PageKind.TRIGGER, *, attempts: int = LEAST_ATTEMPTS, ambiguous: bool = False) -> Delivery:
    return Delivery(
        row=a_row(kind=kind),
        state=DeliveryState.SENDING,
        attempts=attempts,
        created_at=NOON,
        next_at=0,
        ambiguous=ambiguous,
    )


def judged(
    delivery: Delivery, result: DeliveryResult, *, age: int = SECOND, fallback: str | None = None
) -> Ended | Postponed:
    return after(delivery, result, now=NOON + age, fallback=fallback, random=Random(1))


def test_what_was_accepted_has_ended() -> None:
    assert judged(tried(), ACCEPTED) == Ended(state=DeliveryState.ACCEPTED)


@pytest.mark.parametrize("kind", PageKind)
def test_a_refusal_for_good_goes_to_the_fallback_at_once(kind: PageKind) -> None:
    ended = judged(tried(kind, attempts=1), REFUSED, fallback="chat-ops")
    assert ended == Ended(state=DeliveryState.DEAD, reason="rejected", fallback="chat-ops")


def test_a_refusal_without_a_fallback_is_the_end() -> None:
    assert judged(tried(), REFUSED) == Ended(state=DeliveryState.DEAD, reason="rejected")


def test_what_a_person_can_correct_is_tried_on_where_nobody_else_could_be_told() -> None:
    assert isinstance(judged(tried(), CURABLE), Postponed)
    assert isinstance(judged(tried(), CURABLE, fallback="chat-ops"), Ended)


def test_a_lost_reply_makes_the_row_ambiguous_for_ever() -> None:
    postponed = judged(tried(), LOST)
    assert isinstance(postponed, Postponed)
    assert postponed.ambiguous
    again = judged(tried(ambiguous=True), RETRY)
    assert isinstance(again, Postponed)
    assert again.ambiguous


@pytest.mark.parametrize("kind", [PageKind.TRIGGER, PageKind.UPDATE, PageKind.INFORMATION])
def test_a_page_is_given_up_after_a_day(kind: PageKind) -> None:
    assert isinstance(judged(tried(kind), RETRY, age=DAY), Postponed)
    given_up = judged(tried(kind), RETRY, age=DAY + 1, fallback="chat-ops")
    assert given_up == Ended(state=DeliveryState.DEAD, reason="too_old", fallback="chat-ops")


def test_a_resolve_is_never_given_up_for_its_age() -> None:
    assert isinstance(judged(tried(PageKind.RESOLVE), RETRY, age=400 * DAY), Postponed)


def test_an_old_row_gets_its_tries_all_the_same() -> None:
    assert isinstance(judged(tried(attempts=LEAST_ATTEMPTS - 1), RETRY, age=9 * DAY), Postponed)


def test_an_old_row_that_may_have_arrived_is_unconfirmed_where_nobody_else_could_be_told() -> None:
    old = tried(ambiguous=True)
    assert judged(old, RETRY, age=2 * DAY) == Ended(state=DeliveryState.UNCONFIRMED, reason="too_old")
    told = judged(old, RETRY, age=2 * DAY, fallback="chat-ops")
    assert told == Ended(state=DeliveryState.DEAD, reason="too_old", fallback="chat-ops")


def test_a_row_that_ends_at_two_receivers_has_two_effects() -> None:
    first = tried()
    second = replace(first, row=replace(first.row, receiver="chat-ops"))
    dead = Ended(state=DeliveryState.DEAD)
    assert effect_of(first, dead, NOON).id != effect_of(second, dead, NOON).id
    assert effect_of(first, dead, NOON).id == effect_of(first, dead, NOON + HOUR).id


@pytest.mark.parametrize("attempts", [1, 2, 3, 9, 10_000])
def test_waits_are_drawn_from_a_ceiling_that_doubles_up_to_five_minutes(attempts: int) -> None:
    random = Random(7)
    ceiling = min(SECOND * 2 ** (attempts - 1), 5 * MINUTE) if attempts < 20 else 5 * MINUTE
    waits = [next_wait(attempts, None, random) for _ in range(500)]
    assert 0 <= min(waits) < ceiling / 10
    assert ceiling * 9 / 10 < max(waits) <= ceiling


def test_a_wait_is_never_shorter_than_what_the_receiver_asked_for() -> None:
    assert next_wait(1, 30 * SECOND, Random(1)) >= 30 * SECOND
    assert next_wait(1, DAY, Random(1)) == 5 * MINUTE
