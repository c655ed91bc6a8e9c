"""The loader: plain values, their places, and no surprises."""

import time

import pytest

from figwatch_agent.files.diagnostics import Diagnostic, render
from figwatch_agent.files.document import Document, Spot
from figwatch_agent.files.yaml import MAX_BYTES, MAX_NODES, MAX_PROBLEMS, parse


def said(content: bytes) -> list[str]:
    return [problem.message for problem in parse(content, "f.yaml").problems]


def test_values_come_as_plain_python() -> None:
    text = b"a: text\nb: [1, -2, 0.25, true, false, null, ~]\nc: {d: '1', e: \"on\", f: |\n  x\n  }\n"
    document = parse(text.replace(b"f: |\n  x\n  }", b"f: 2026-12-31}"), "f.yaml")
    assert document.problems == []
    assert document.value == {
        "a": "text",
        "b": [1, -2, 0.25, True, False, None, None],
        "c": {"d": "1", "e": "on", "f": "2026-12-31"},
    }


def test_every_value_and_key_has_its_place() -> None:
    document = parse("é: x\nlist:\n  - {a: 1,\n     b: two}\n".encode(), "f.yaml")
    assert document.value_spot(("é",)) == Spot(1, 4, 1)
    assert document.value_spot(("list", 0, "b")) == Spot(4, 9, 3)
    assert document.key_spot(("list", 0, "b")) == Spot(4, 6, 1)
    assert document.value_spot(("list", 0, "no", "such")) == Spot(3, 5)


@pytest.mark.parametrize("word", ["yes", "No", "on", "OFF", "y", "N", "True", "FALSE", "Null"])
def test_words_that_readers_disagree_on_are_refused(word: str) -> None:
    (message,) = said(f"a: {word}".encode())
    assert message.startswith(f"`{word}` is true, false or nothing")


@pytest.mark.parametrize(
    "word", ["1:30", "0o17", "017", "0x1f", "0b1", "1_000", "1e3", ".5", "5.", "+5", ".inf", "-.INF", ".NaN"]
)
def test_numbers_that_readers_disagree_on_are_refused(word: str) -> None:
    (message,) = said(f"a: {word}".encode())
    assert message.startswith(f"`{word}` is a")


@pytest.mark.parametrize(
    "word", ["5m", "99.9%", "+40%", "-30%", "< 15m", "x5", "127.0.0.1:9464", "a:b", "1.2.3", "-", "..."]
)
def test_words_that_only_look_odd_are_text(word: str) -> None:
    quoted = f'"{word}"' if word in ("-", "...") else word
    document = parse(f"a: {quoted}".encode(), "f.yaml")
    assert (document.value, document.problems) == ({"a": word}, [])


@pytest.mark.parametrize("number", ["1234567890123456", "0.12345678901234567"])
def test_a_number_that_cannot_be_kept_exactly_is_refused(number: str) -> None:
    (message,) = said(f"a: {number}".encode())
    assert "cannot be kept exactly" in message


def test_quotes_make_text_of_anything() -> None:
    document = parse(b'a: "1:30"\nb: \'on\'\n"5": "null"\n', "f.yaml")
    assert (document.value, document.problems) == ({"a": "1:30", "b": "on", "5": "null"}, [])


def test_all_problems_of_a_file_come_at_once() -> None:
    assert len(said(b"a: on\na: 1\nb: &x 1:30\nc: *x\nd: !!str e\n")) == 6


def test_the_first_of_two_equal_keys_is_kept() -> None:
    assert parse(b"a: 1\na: {b: [2]}\n", "f.yaml").value == {"a": 1}


def test_a_collection_as_key_is_refused_and_the_rest_is_read() -> None:
    document = parse(b"? {a: [b, c]}\n: d\ne: f\n", "f.yaml")
    assert [problem.message for problem in document.problems] == ["a key must be text"]
    assert document.value == {"e": "f"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[" * 100_000, "the file is nested deeper than 64 levels"),
        (b"- " * 100_000, "the file is nested deeper than 64 levels"),
        (b"{a: " * 5_000, "the file is nested deeper than 64 levels"),
        (b"x" * (MAX_BYTES + 1), "the file is larger than 1 MiB"),
        (b"[" + b"a," * (MAX_NODES + 1) + b"]", f"the file holds more than {MAX_NODES} values"),
    ],
)
def test_what_is_too_deep_or_too_large_is_refused_quickly(content: bytes, message: str) -> None:
    begin = time.process_time()
    assert said(content) == [message]
    assert time.process_time() - begin < 2


def test_an_alias_bomb_is_refused_without_growing() -> None:
    lines = [f"k{n + 1}: &k{n + 1} [*k{n}, *k{n}, *k{n}, *k{n}]" for n in range(20)]
    bomb = "\n".join(["k0: &k0 [x]", *lines]).encode()
    messages = said(bomb)
    assert messages
    assert all("not allowed" in message for message in messages)


def test_a_file_of_mistakes_stops_at_some_point() -> None:
    assert len(said(b"- on\n" * 1_000)) == MAX_PROBLEMS


def test_a_byte_order_mark_and_windows_line_ends_are_taken() -> None:
    document = parse(b"\xef\xbb\xbfa: b\r\nc: on\r\n", "f.yaml")
    assert document.value == {"a": "b", "c": "on"}
    assert [(problem.line, problem.column) for problem in document.problems] == [(2, 4)]


def test_a_long_line_is_clipped_around_its_caret() -> None:
    document = parse(b"a: [" + b"x, " * 400 + b"on]\n", "f.yaml")
    lines = render(document.problems).splitlines()
    assert len(lines[1]) < 140
    assert lines[1][lines[2].index("^") :].startswith("on")


def test_tabs_before_the_caret_are_kept_so_that_it_points_right() -> None:
    found = Diagnostic(path="f", line=1, column=3, message="m", source_line="\t\tx")
    assert "   | \t\t^" in render([found]).splitlines()


def test_a_file_cannot_drive_the_terminal() -> None:
    document = Document(path="f", lines=("a: \x1b[2J",))
    assert "\x1b" not in render([document.at(Spot(1, 4), "m")])


def test_diagnostics_are_sorted_and_each_is_told_once() -> None:
    late = Diagnostic(path="b", line=1, column=1, message="m")
    early = Diagnostic(path="a", line=9, column=1, message="m")
    text = render([late, early, late])
    assert text.index("a:9:1") < text.index("b:1:1")
    assert text.endswith("\n2 problems in 2 files\n")


@pytest.mark.parametrize(
    "line",
    [
        "routing_key: hunter2",
        "  - {name: x, token: hunter2, role: view}",
        'Authorization: "Bearer hunter2"',
        "routing_kye: hunter2",
        "url: http://me:hunter2@host/",
    ],
)
def test_a_line_with_a_secret_is_shown_without_it(line: str) -> None:
    assert "hunter2" not in Document(path="f", lines=(line,)).shown(1)


@pytest.mark.parametrize("above", ["token:", "token: |", "token: >-", "  token:  # here"])
def test_a_secret_on_the_line_below_its_key_is_masked(above: str) -> None:
    assert "hunter2" not in Document(path="f", lines=(above, "    hunter2")).shown(2)


def test_a_named_secret_is_shown() -> None:
    lines = ("routing_key: {env: KEY}", "token:", "  file: /run/secrets/t", "tokens: [a]")
    document = Document(path="f", lines=lines)
    assert tuple(document.shown(number) for number in (1, 2, 3, 4)) == lines


def test_a_literal_secret_that_looks_like_a_number_is_not_repeated() -> None:
    assert "0123" not in render(parse(b"token: 0123\n", "f.yaml").problems)
