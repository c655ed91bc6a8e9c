"""Runbooks as HTML: what they use is rendered, everything else is text."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figwatch_agent.files.runbooks import read_runbooks
from figwatch_agent.web.pages_markdown import render_markdown


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# Title", "<h1>Title</h1>"),
        ("one\ntwo\n\nthree", "<p>one\ntwo</p><p>three</p>"),
        ("- one\n- two", "<ul><li>one</li><li>two</li></ul>"),
        ("1. one\n2. two", "<ol><li>one</li><li>two</li></ol>"),
        ("3. three", '<ol start="3"><li>three</li></ol>'),
        ("- one\n  - two", "<ul><li><p>one</p><ul><li>two</li></ul></li></ul>"),
        (
            "1. do\n\n   ```\n   ls  -l\n   ```",
            '<ol><li><p>do</p><pre tabindex="0"><code>ls  -l</code></pre></li></ol>',
        ),
        ("a `b<c` **d** *e*", "<p>a <code>b&lt;c</code> <strong>d</strong> <em>e</em></p>"),
        ("[docs](https://example.com/a)", '<p><a href="https://example.com/a">docs</a></p>'),
        ("<https://example.com/a>", '<p><a href="https://example.com/a">https://example.com/a</a></p>'),
        ("[other](TrafficLost)", '<p><a href="TrafficLost">other</a></p>'),
        ("2*3*4 snake_case_name", "<p>2*3*4 snake_case_name</p>"),
        ("", ""),
    ],
)
def test_what_runbooks_use_is_rendered(text: str, html: str) -> None:
    assert render_markdown(text) == html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,<script>)",
        '[x](https://a"onmouseover="alert(1))',
        "[x](//elsewhere.example)",
        "`<img src=x onerror=alert(1)>`",
        "```\n</code></pre><script>\n```",
        "# <b>",
        "- <b>",
    ],
)
def test_nothing_hostile_passes_through(text: str) -> None:
    html = render_markdown(text)
    assert not re.search(r"<(script|img|b)\b|href=\"(javascript|data|//)|\"\s*onmouse", html, re.IGNORECASE)


@given(st.text(alphabet="ab<>&\"'`*_#-[]():/ \n1.\\", max_size=80))
def test_any_text_makes_html_that_holds_only_known_tags(text: str) -> None:
    tags = set(re.findall(r"<\s*/?\s*([^\s<>]*)", render_markdown(text)))
    assert tags <= {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "pre", "code", "strong", "em", "a"}


@given(st.text(alphabet="ab`*[]()# \n-", max_size=60))
def test_no_word_is_lost(text: str) -> None:
    words = Counter(re.findall("[ab]", re.sub(r"<[^>]*>", "", render_markdown(text))))
    outside = re.sub(r"(?<=\]\()[^()\s]*(?=\))", "", text)  # what may be where a link leads is no word
    assert Counter(re.findall("[ab]", outside)) <= words <= Counter(re.findall("[ab]", text))


def test_headings_fit_below_those_of_the_page_around() -> None:
    assert render_markdown("# a\n###### b", below=2) == "<h3>a</h3><h6>b</h6>"


def test_lists_that_are_nested_too_deeply_end_as_paragraphs() -> None:
    assert render_markdown("\n".join(" " * 2 * depth + "- x" for depth in range(200))).count("<ul>") == 6


def test_every_runbook_is_rendered_without_leftovers() -> None:
    for name, text in read_runbooks("/nowhere/figwatch.yaml").items():
        html = render_markdown(text)
        assert html.startswith(f"<h1>{name}</h1>")
        assert "```" not in html
        prose = re.sub(r"<pre.*?</pre>|<code>.*?</code>", "", html, flags=re.DOTALL)
        assert "**" not in prose
        assert "](" not in prose
