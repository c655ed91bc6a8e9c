"""Raw path to bounded template."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from figwatch.errors import RouteError
from figwatch.routes import Routes, RouteTree, canonical, check_template


def tree(*templates: str) -> RouteTree[str]:
    return RouteTree((template, template) for template in templates)


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/api/v1/chat", "/api/v1/chat"),
        ("/api/v1/chat/", "/api/v1/chat"),  # one trailing slash is neither here nor there
        ("/api/v1/chat//", None),
        ("/api/v1/chat/42", "/api/v1/chat/{id}"),
        ("/api/v1/chat/42/", "/api/v1/chat/{id}"),
        ("/api/v1/chat/new", "/api/v1/chat/new"),  # spelled out before a parameter
        ("/api/v1/chat/42/messages", "/api/v1/chat/{id}/messages"),
        ("/api/v1/chat/new/messages", "/api/v1/chat/{id}/messages"),  # found by going back
        ("/api/v1/chat/42/other", None),
        ("/static/a/b.js", "/static/{rest:path}"),
        ("/static", "/static/{rest:path}"),
        ("/static/app", "/static/app"),
        ("/static/app/x", "/static/{rest:path}"),
        ("/", None),
        ("", None),
        ("api/v1/chat", None),
        ("/API/v1/chat", None),  # paths are case-sensitive
    ],
)
def test_the_longest_spelled_out_template_wins(path: str, template: str | None) -> None:
    known = tree(
        "/api/v1/chat",
        "/api/v1/chat/{id}",
        "/api/v1/chat/new",
        "/api/v1/chat/{id}/messages",
        "/static/{rest:path}",
        "/static/app",
    )
    assert known.find(path) == template


def test_an_empty_rest_below_what_is_spelled_out_wins_over_a_parameter() -> None:
    assert tree("/{x}", "/a/{r:path}").find("/a") == "/a/{r:path}"
    assert tree("/a/{r:path}", "/{x}", "/a").find("/a") == "/a"


def test_the_root_has_a_template_of_its_own() -> None:
    assert tree("/").find("/") == "/"
    assert tree("/").find("/x") is None


SEGMENT = st.sampled_from(["a", "b", "{x}"])
TEMPLATES = st.lists(
    st.builds(
        lambda segments, rest: "/" + "/".join([*segments, "{r:path}"] if rest else segments),
        st.lists(SEGMENT, max_size=4),
        st.booleans(),
    ),
    unique=True,
    max_size=8,
)
PATHS = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=5).map(lambda segments: "/" + "/".join(segments))


def naive(templates: list[str], path: str) -> str | None:
    """Try every template, and keep the one whose segments rank highest from the left."""
    segments = (path[1:-1] if path.endswith("/") and len(path) > 1 else path[1:]).split("/") if path != "/" else []
    best: tuple[list[int], str] | None = None
    for template in templates:
        parts = template[1:].split("/") if template != "/" else []
        rest = bool(parts) and parts[-1].endswith(":path}")
        parts = parts[:-1] if rest else parts
        if len(parts) > len(segments) or (not rest and len(parts) != len(segments)):
            continue
        if all((segment and part == "{x}") or part == segment for part, segment in zip(parts, segments, strict=False)):
            ranks = [1 if part == "{x}" else 2 for part in parts] + [-1 if rest else 0]
            if best is None or ranks > best[0]:
                best = (ranks, template)
    return None if best is None else best[1]


@settings(max_examples=300)
@given(TEMPLATES, PATHS)
def test_the_tree_agrees_with_trying_every_template(templates: list[str], path: str) -> None:
    assert tree(*templates).find(path) == naive(templates, path)


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("api", "must start with a slash"),
        ("/a?b=1", "bare path"),
        ("/a b", "bare path"),
        ("/a//b", "segment ''"),
        ("/a/{", "plain text"),
        ("/a/{}", "plain text"),
        ("/a/x{id}", "plain text"),
    ],
)
def test_a_template_that_cannot_be_is_refused_with_what_to_write(template: str, says: str) -> None:
    with pytest.raises(RouteError, match=says):
        check_template(template)


def test_a_rest_parameter_must_stand_last() -> None:
    with pytest.raises(RouteError, match="must stand last"):
        tree("/a/{rest:path}/b")


@pytest.mark.parametrize("twins", [("/a/{x}", "/a/{y}"), ("/a", "/a/"), ("/a/{r:path}", "/a/{s:path}")])
def test_two_templates_for_the_same_paths_are_refused(twins: tuple[str, str]) -> None:
    with pytest.raises(RouteError, match="same paths"):
        tree(*twins)


@pytest.mark.parametrize(
    ("foreign", "ours"),
    [
        ("/a/<int:id>/", "/a/{id}"),  # Flask, Django
        ("a/<id>", "/a/{id}"),
        ("/a/{id:int}", "/a/{id}"),  # Starlette
        ("/a/{rest:path}", "/a/{rest:path}"),
        ("/a/{id}", "/a/{id}"),
        ("/", "/"),
    ],
)
def test_every_framework_spells_its_templates_in_our_way(foreign: str, ours: str) -> None:
    assert canonical(foreign) == ours


def test_templates_beyond_the_cap_count_as_overflow() -> None:
    told: list[str] = []
    routes = Routes((), told.append, cap=2)
    names = [routes.name(template, "") for template in ("/a", "/b", "/c", "/a")]
    assert names == ["/a", "/b", "__overflow__", "/a"]
    assert told == ["http_server_request_duration_seconds"]


def test_without_a_template_the_declared_routes_are_asked_and_else_it_is_unmatched() -> None:
    routes = Routes(("/a/{id}",), lambda _metric: None)
    assert routes.name(None, "/a/1") == "/a/{id}"
    assert routes.name(None, "/wp-admin.php") == "__unmatched__"
