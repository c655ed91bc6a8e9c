"""Texts made fit for people."""

import pytest

from figwatch_agent.notify.words import one_line, safe_url, share


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("/api/v1/chat", "/api/v1/chat"),
        ("a\n\tb\r\n  c", "a b c"),
        ("a\u202eb", "a\\u202eb"),  # would turn the rest of the line round
        ("a\u200bb", "a\\u200bb"),
        ("a\x1b[31mb", "a\\u001b[31mb"),  # would colour a terminal
        ("a\ud800b", "a\\ud800b"),
        ("a\u2028b", "a b"),
        ("ünïcode 🚒", "ünïcode 🚒"),
        ("", ""),
    ],
)
def test_what_cannot_be_seen_is_written_out(text: str, line: str) -> None:
    assert one_line(text, 100) == line


def test_ten_kilobytes_become_one_short_line() -> None:
    assert one_line("x" * 10_000, 20) == "x" * 19 + "…"


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://a.example/x?y=1#z", "https://a.example/x?y=1#z"),
        ("https://a.example/a b<c>|d", "https://a.example/a%20b%3Cc%3E%7Cd"),
        ("javascript:alert(1)", None),
        ("/runbooks/EarlyOutage", None),
        ("https://[broken", None),
        ("https://" + "a" * 5000, None),
        ("", None),
        (None, None),
    ],
)
def test_only_absolute_web_addresses_become_links(url: str | None, safe: str | None) -> None:
    assert safe_url(url) == safe


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(0, 0, "no requests"), (0, 7, "0.0%"), (1, 3, "33.3%"), (2, 3, "66.7%"), (1, 2000, "0.1%"), (7, 7, "100.0%")],
)
def test_a_share_is_rounded_half_up_from_whole_numbers(part: int, whole: int, text: str) -> None:
    assert share(part, whole) == text
