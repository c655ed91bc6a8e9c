"""When an alert is said again: by times that are passed in, and by nothing else."""

from __future__ import annotations

from figwatch_agent.durations import MINUTE, SECOND, Instant
from figwatch_agent.model.alertmanager import Identity, Standing
from figwatch_agent.notify.alertmanager import Entry
from figwatch_agent.notify.alertmanager_book import OVER_FOR, Book
from support.model_values import NOON


def entry(group: str = "a", ended_at: Instant | None = None) -> Entry:
    """One alert."""
    alerts = (Identity(labels=(("alertname", group),), starts_at=NOON),)
    return Entry(group=group, standing=Standing(alerts=alerts, ended_at=ended_at), annotations={}, url="")


def said(book: Book, until: Instant) -> list[Instant]:
    """When anything is said, where whoever says it keeps to ``next_due``."""
    times: list[Instant] = []
    while (due := book.next_due()) is not None and due < until:
        if groups := book.due(due):
            times.append(due)
            book.sent(groups, due)
    return times


def test_nothing_is_said_of_nothing() -> None:
    book = Book(MINUTE)
    assert (book.next_due(), book.due(NOON)) == (None, ())


def test_what_is_open_is_said_at_even_intervals_for_as_long_as_it_is_open() -> None:
    book = Book(MINUTE)
    book.take(entry(), NOON)
    assert book.due(NOON + MINUTE - 1) == ()
    assert said(book, NOON + 60 * MINUTE) == [NOON + each * MINUTE for each in range(1, 60)]


def test_what_is_over_is_said_for_a_quarter_of_an_hour() -> None:
    book = Book(MINUTE)
    book.take(entry(ended_at=NOON - SECOND), NOON)
    assert said(book, NOON + 60 * MINUTE) == [NOON + each * MINUTE for each in range(1, 15)]
    assert book.next_due() is None


def test_a_delivery_begins_the_interval_anew() -> None:
    book = Book(MINUTE)
    book.take(entry(), NOON)
    book.take(entry(), NOON + 50 * SECOND)
    assert said(book, NOON + 2 * MINUTE) == [NOON + 110 * SECOND]


def test_what_stood_before_a_restart_is_said_at_once() -> None:
    book = Book(MINUTE)
    book.recall(entry())
    assert book.due(NOON) == ("a",)


def test_an_end_is_recalled_for_what_is_left_of_its_time() -> None:
    book = Book(MINUTE)
    book.recall(entry(ended_at=NOON))
    assert book.due(NOON + OVER_FOR) == ()
    assert book.next_due() is None


def test_what_this_process_knows_is_not_overruled_by_what_stood_before() -> None:
    book = Book(MINUTE)
    over = entry(ended_at=NOON)
    book.take(over, NOON)
    book.recall(entry())
    assert book.entries(["a"]) == (over,)


def test_while_its_end_is_on_the_way_nothing_is_said_of_it() -> None:
    book = Book(MINUTE)
    book.take(entry(), NOON)
    book.take(entry("b"), NOON)
    groups = book.due(NOON + MINUTE)
    book.hold("a")
    book.recall(entry())
    assert [each.group for each in book.entries(groups)] == ["b"]
    assert book.due(NOON + MINUTE) == ("b",)
    assert book.standing("a") == entry().standing, "the end must know what it ends, be it tried twice"
    book.hold("a")
    assert book.standing("a") == entry().standing


def test_an_end_takes_the_place_of_what_was_about_to_be_said() -> None:
    book = Book(MINUTE)
    book.take(entry(), NOON)
    groups = book.due(NOON + MINUTE)
    over = entry(ended_at=NOON + MINUTE)
    book.take(over, NOON + MINUTE)
    assert book.entries(groups) == (over,)
    book.sent(["never known"], NOON)
    assert book.standing("never known") is None
