"""Whatever others write, what goes out is short, visible and escaped."""

import json
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from figwatch_agent.notify.post import encode
from figwatch_agent.notify.retry_after import parse_retry_after
from figwatch_agent.notify.slack_blocks import escape, escaped
from figwatch_agent.notify.words import fit, one_line, safe_url, share
from support.model_values import NOON

anything = st.text(st.characters(codec=None, exclude_categories=()), max_size=300)


@given(anything, st.integers(2, 80))
def test_a_line_is_short_and_holds_nothing_invisible(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert not [one for one in line if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn")]
    assert line == line.strip()


@given(anything)
def test_a_line_can_always_be_encoded(text: str) -> None:
    one_line(text, 100).encode("utf-8")
    assert json.loads(encode({"text": text})) == {"text": text}


@given(st.text("<>&abc", max_size=60), st.integers(1, 40))
def test_an_escaped_text_fits_and_never_ends_inside_an_entity(text: str, limit: int) -> None:
    sent = escaped(text, limit)
    assert len(sent) <= limit
    back = sent.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert escape(back) == sent
    assert back == text or text.startswith(back.removesuffix("…"))


@given(st.text(max_size=60), st.integers(1, 40))
def test_cutting_keeps_as_much_as_fits(text: str, limit: int) -> None:
    cut = fit(text, limit)
    assert cut == text if len(text) <= limit else len(cut) == limit


@given(anything)
def test_a_url_is_absolute_and_plain_or_left_out(text: str) -> None:
    url = safe_url("https://runbooks.example.com/" + text)
    assert url is None or (url.isascii() and not set(url) & set(' <>|"\n'))
    assert safe_url("javascript:" + text) is None


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_a_share_is_off_by_at_most_half_a_tenth(part: int, whole: int) -> None:
    tenths = int(share(part, whole).removesuffix("%").replace(".", ""))
    assert abs(2 * tenths * whole - 2 * 1000 * part) <= whole


@settings(max_examples=300)
@given(st.one_of(anything, st.from_regex(r"[+-]?[0-9.]{1,12}"), st.datetimes().map(lambda at: at.strftime("%c"))))
def test_no_retry_after_raises_or_lies_in_the_past(text: str) -> None:
    wanted = parse_retry_after(text, NOON)
    assert wanted is None or wanted >= 0
