"""Retry-After, as receivers write it and as they should not."""

import pytest

from figwatch_agent.durations import DAY, MINUTE, SECOND
from figwatch_agent.notify.retry_after import capped, parse_retry_after
from support.model_values import NOON


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (None, None),
        ("", None),
        ("30", 30 * SECOND),
        (" 30 ", 30 * SECOND),
        ("+30", 30 * SECOND),
        ("0", 0),
        ("1.5", 1500),
        (".25", 250),
        ("-5", 0),  # over already
        ("Sun, 22 Nov 2026 12:00:30 GMT", 30 * SECOND),
        ("Sunday, 22-Nov-26 12:01:00 GMT", MINUTE),  # RFC 850, which RFC 9110 still asks to read
        ("Sun Nov 22 12:00:10 2026", 10 * SECOND),  # asctime, the third form
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0),
        ("9" * 400, DAY),
        ("9" * 6000, DAY),  # more digits than Python converts
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("1e9", None),
        ("٣", None),  # digits, but not HTTP's
        ("Sun, 99 Nov 2026 12:00:30 GMT", None),
        ("Sun, 22 Nov 99999999 12:00:30 GMT", None),
        ("\x00", None),
        ("x" * 5000, None),
    ],
)
def test_retry_after_is_read_in_every_form(text: str | None, wanted: int | None) -> None:
    assert parse_retry_after(text, NOON) == wanted


def test_a_date_counts_from_the_clock_that_is_handed_in() -> None:
    assert parse_retry_after("Sun, 22 Nov 2026 12:00:30 GMT", NOON + 10 * SECOND) == 20 * SECOND


@pytest.mark.parametrize(("wanted", "granted"), [(None, 0), (-1, 0), (SECOND, SECOND), (DAY, 5 * MINUTE)])
def test_no_receiver_gets_more_than_five_minutes_of_silence(wanted: int | None, granted: int) -> None:
    assert capped(wanted) == granted
