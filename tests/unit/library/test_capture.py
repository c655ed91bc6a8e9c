"""What a span may carry of a request."""

from typing import Any

import pytest

from figwatch.capture import VALUE_LENGTH, Capture
from figwatch.errors import DefinitionError


def read(names: tuple[str, ...], query: str = "", headers: dict[str, str] | None = None) -> dict[str, str]:
    return Capture(names).read(None, lambda _carrier: query, lambda _carrier, name: (headers or {}).get(name))


def test_only_what_is_named_is_read() -> None:
    found = read(("query.page", "header.X-Tenant"), "page=3&token=t&page=4", {"x-tenant": "acme", "cookie": "c"})
    assert found == {"figwatch.query.page": "3,4", "http.request.header.x-tenant": "acme"}


def test_what_is_not_sent_is_left_out() -> None:
    assert read(("query.page", "header.x-tenant"), "pages=3") == {}


def test_a_value_is_cut_to_a_bounded_length() -> None:
    assert read(("header.x",), headers={"x": "y" * 9_999}) == {"http.request.header.x": "y" * VALUE_LENGTH}


@pytest.mark.parametrize("names", ["path", ("url",), ("query.",), ("header.a b",), ("query.*", "body")])
def test_a_name_that_cannot_be_is_refused_with_what_to_write(names: Any) -> None:
    with pytest.raises(DefinitionError, match=r"query\.NAME"):
        Capture(names)
