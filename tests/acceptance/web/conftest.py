"""One browser for all tests of this folder."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser

from support.browser import browsing


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium; starting it takes longer than most pages."""
    async with browsing() as browser:
        yield browser
