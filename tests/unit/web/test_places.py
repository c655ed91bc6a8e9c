"""Under which names the agent is reached, and whether a form stood on a page of it."""

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from figwatch_agent.web.csrf import Places, local_path


def places() -> Places:
    """An agent behind a proxy."""
    return Places("127.0.0.1", "https://figwatch.example.com")


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("127.0.0.1:9464", True),
        ("localhost:9464", True),
        ("LOCALHOST", True),
        ("[::1]:9464", True),
        ("192.0.2.1", True),  # an address is the address that was meant: no name was pointed at us
        ("figwatch.example.com", True),
        ("Figwatch.Example.com:443", True),
        ("evil.example", False),
        ("evil.example:9464", False),
        ("figwatch.example.com.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("", False),
        ("[::1", True),
        ("a:b:c", False),
    ],
)
def test_a_name_of_somebody_else_that_leads_here_is_not_ours(host: str, known: bool) -> None:
    request = make_mocked_request("POST", "/", headers=CIMultiDict({"Host": host}))
    assert places().known(request) is known


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:9464"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://figwatch.example.com"}, True),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:9464"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:9464"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": "http://127.0.0.1:9464"}, True),
        ({"Origin": "http://127.0.0.1:1"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, False),
        ({}, False),
    ],
)
def test_what_a_browser_says_of_where_a_form_stood(headers: dict[str, str], ours: bool) -> None:
    request = make_mocked_request("POST", "/", headers=CIMultiDict({"Host": "127.0.0.1:9464", **headers}))
    assert places().from_here(request) is ours


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("/incidents/inc-1", "/incidents/inc-1"),
        ("/routes/api/v1/chat?span=1h", "/routes/api/v1/chat?span=1h"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:x", "/"),
        ("/a b", "/"),
        ("/" + "a" * 1001, "/"),
        ("/api/v1/status", "/"),
        ("/sign-out", "/"),
        ("", "/"),
    ],
)
def test_after_a_form_only_a_page_of_ours_is_gone_to(given: str, path: str) -> None:
    assert local_path(given) == path
