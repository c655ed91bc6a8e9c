"""Several documents in one file."""

from figwatch_agent.files.foreign.documents import MOST, documents, resources
from figwatch_agent.files.yaml import MAX_BYTES


def test_each_document_has_its_places_in_the_file() -> None:
    one, other = documents(b"# first\na: 1\n---\n# second\nb:\n  - 2\n", "f.yaml")
    assert (one.value, other.value) == ({"a": 1}, {"b": [2]})
    assert one.value_spot(("a",)).line == 2
    assert other.value_spot(("b", 0)).line == 6
    assert other.key_spot(("b",)).line == 5


def test_problems_stand_where_they_are_in_the_file() -> None:
    _, other = documents(b"a: 1\n---\nb: 2\nb: 3\n", "f.yaml")
    assert [(one.line, one.column, one.source_line) for one in other.problems] == [(4, 1, "b: 3")]


def test_documents_that_say_nothing_are_left_out() -> None:
    found = documents(b"%YAML 1.1\n---\n# nothing\n---\na: 1\n...\n---\n", "f.yaml")
    assert [one.value for one in found] == [{"a": 1}]


def test_a_mark_inside_of_a_text_is_no_mark() -> None:
    (found,) = documents(b"a: |\n  text\n  ---\n  more\nb: '---'\n---c: 1\n", "f.yaml")
    assert found.value == {"a": "text\n---\nmore\n", "b": "---", "---c": 1}


def test_an_empty_file_is_a_problem() -> None:
    (found,) = documents(b"", "f.yaml")
    assert [one.message for one in found.problems] == ["the file is empty"]


def test_a_file_that_is_no_text_is_a_problem() -> None:
    (found,) = documents(b"a: 1\n---\n\xff", "f.yaml")
    assert [one.message for one in found.problems] == ["the file is not UTF-8 text"]


def test_a_file_that_is_too_large_is_a_problem() -> None:
    (found,) = documents(b"a: 1\n" * (MAX_BYTES // 5 + 1), "f.yaml")
    assert [one.message for one in found.problems] == ["the file is larger than 1 MiB"]


def test_too_many_documents_are_a_problem() -> None:
    (found,) = documents(b"---\na: 1\n" * (MOST + 1), "f.yaml")
    assert [one.message for one in found.problems] == ["the file holds more than 1000 documents"]


def test_members_of_a_list_are_documents_with_places_of_their_own() -> None:
    (found,) = documents(b"kind: List\nitems:\n  - {a: 1}\n  - {a: on, b: {c: 2}}\n", "f.yaml")
    one, other = resources(found)
    assert one.value == {"a": 1}
    assert other.value_spot(("b", "c")).line == 4
    assert other.broken == {("a",)}


def test_a_list_that_is_none_is_the_document_itself() -> None:
    (found,) = documents(b"kind: List\nitems: text\n", "f.yaml")
    assert list(resources(found)) == [found]
