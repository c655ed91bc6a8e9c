"""The API does what its OpenAPI document says: validated, compared with the routes, and tried with odd requests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from openapi_spec_validator import validate
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from figwatch_agent.web.openapi import openapi_document
from support.agent_site import OPERATE, Site, failing_world
from support.served import served

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
    ignored_auth,
]
DEADLINE = 20.0
"""Seconds for the thread of the server to come up or go down."""


class _Running:
    """A site of a failing world in a thread of its own, since schemathesis blocks the one it runs in."""

    def __init__(self) -> None:
        self.url = ""
        self._up = threading.Event()
        self._down = threading.Event()

    def main(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            self._up.set()

    async def _serve(self) -> None:
        site = Site(world=failing_world())
        await site.commit()
        async with served(site.app()) as self.url:
            self._up.set()
            await asyncio.to_thread(self._down.wait)

    @contextmanager
    def running(self) -> Iterator[str]:
        thread = threading.Thread(target=self.main, daemon=True)
        thread.start()
        try:
            assert self._up.wait(DEADLINE)
            assert self.url, "the server did not come up"
            yield self.url
        finally:
            self._down.set()
            thread.join(DEADLINE)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with _Running().running() as found:
        yield found


def test_the_document_is_valid_openapi() -> None:
    validate(openapi_document())


def test_every_route_of_the_api_is_in_the_document_and_the_other_way_round() -> None:
    routed = {
        (route.method.lower(), route.resource.canonical)
        for route in Site().app().router.routes()
        if route.resource is not None and route.resource.canonical.startswith("/api/v1/") and route.method != "HEAD"
    }
    paths = openapi_document()["paths"]
    assert routed == {(method, path) for path, methods in paths.items() for method in methods}


REFUSED = [400, 401, 403, 404, 405, 408, 413, 414, 415]
"""What may answer a request that the document does not allow; a server error is none of these."""

schema = schemathesis.openapi.from_dict(
    openapi_document(),
    config=SchemathesisConfig.from_dict(
        {"seed": 1, "checks": {"negative_data_rejection": {"expected-statuses": REFUSED}}}
    ),
)


@schema.parametrize()
@settings(
    max_examples=15,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_the_api_does_what_the_document_says(case: schemathesis.Case[Any], url: str) -> None:
    case.call_and_validate(base_url=url, headers={"Authorization": f"Bearer {OPERATE}"}, checks=CHECKS)
