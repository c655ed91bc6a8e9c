"""Whatever stands in a file, people get problems with places in it, and never a traceback."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given, settings
from hypothesis import strategies as st

from figwatch_agent.files import settings_file, slo_file
from figwatch_agent.files.diagnostics import Diagnostic, render
from figwatch_agent.files.document import Document
from figwatch_agent.files.load import inspect
from figwatch_agent.files.promises import Reader
from figwatch_agent.files.schema import read
from figwatch_agent.files.yaml import parse
from support.files import SETTINGS, SLO, write_project

YAMLISH = st.text(st.sampled_from("ab1:-{}[],&*!|>'\"#%@`?<~. \t\n\r\x00\x85\u2028é\U0001f335"), max_size=80)
WORDS = st.sampled_from(
    (
        *("on", "1:30", "null", "[]", "{}", "- x", "&a", "*a", "!!int", "<<: {}", "99.9%", "100%", "0%", "1e999999999"),
        *("9" * 400, "30d", "0s", "999999d", "&x y", "? [a]", '"\\uD800"', "'", "\t", "\x1b", "a: b: c", "--- "),
        *(
            "{env: A}",
            "{file: ''}",
            "sum(",
            "a_total",
            "=~",
            '"\\0"',
            "http://h:99999/",
            "{get: x}",
            "true",
            "-1",
            "0.5",
        ),
    )
)


def everything_wrong_with(content: bytes) -> list[Diagnostic]:
    document = parse(content, "f.yaml")
    found = list(document.problems)
    if not document.fatal:
        found += told_by_grammars(document)
    render(found)
    for one in found:
        assert 1 <= one.line <= len(document.lines)
        assert 1 <= one.column <= len(document.lines[one.line - 1]) + 1
        assert one.message
    return found


def told_by_grammars(document: Document) -> list[Diagnostic]:
    written, wrong = read(document, slo_file.FILE, {})
    _, others = read(document, settings_file.FILE, {"folder": ""})
    if written is None:
        assert wrong or document.problems
        return wrong + others
    reader = Reader(document, written, 5_000)
    reader.service()
    return wrong + others + reader.problems + reader.notices


@given(st.binary(max_size=200))
def test_bytes_never_give_a_traceback(content: bytes) -> None:
    everything_wrong_with(content)


@given(YAMLISH)
@example("? - ")
@example("{? : }")
@example("\ufeff\ufeff: ")
def test_text_that_is_nearly_yaml_never_gives_a_traceback(text: str) -> None:
    everything_wrong_with(text.encode())


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    text = draw(st.sampled_from([SLO, SETTINGS]))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        text = text[:start] + draw(st.one_of(WORDS, YAMLISH)) + text[end:]
    return text.encode("utf-8", "replace")


@given(mutated())
@settings(max_examples=120)
def test_a_good_file_with_changes_never_gives_a_traceback(content: bytes) -> None:
    everything_wrong_with(content)


@given(mutated(), mutated())
def test_files_with_changes_are_compared_with_each_other_without_a_traceback(settings_file: bytes, slo: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(write_project(Path(folder)))
        path.write_bytes(settings_file)
        path.with_name("slo").joinpath("other.yaml").write_bytes(slo)
        assert render(inspect(str(path)).diagnostics)


@given(st.data())
@settings(max_examples=200)
def test_any_value_in_any_place_of_a_good_file_never_gives_a_traceback(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([SLO, SETTINGS]))
    document = parse(text.encode(), "f.yaml")
    spot = document.value_spot(data.draw(st.sampled_from(sorted(document.values, key=str))))
    lines = text.split("\n")
    line = lines[spot.line - 1]
    lines[spot.line - 1] = line[: spot.column - 1] + data.draw(WORDS) + line[spot.column - 1 + spot.width :]
    everything_wrong_with("\n".join(lines).encode("utf-8", "replace"))


TEXT = st.text(st.characters(exclude_categories=["C"]), max_size=8)
JSON = st.recursive(st.none() | st.booleans() | st.integers(-(10**9), 10**9) | TEXT, st.lists)


@given(st.dictionaries(TEXT, JSON, max_size=5))
def test_json_is_read_as_what_it_is(value: dict[str, object]) -> None:
    document = parse(json.dumps(value, ensure_ascii=False).encode(), "f.yaml")
    assert (document.problems, document.value) == ([], value)
