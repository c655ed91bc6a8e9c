"""One suite, every store."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from figwatch_agent.ports import Store
from support.folders import quick_folder
from support.stores import FLAVOURS


@pytest_asyncio.fixture(params=sorted(FLAVOURS))
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """An open, empty store of each flavour."""
    with quick_folder() as folder:
        made = FLAVOURS[request.param](folder)
        await made.open()
        yield made
        await made.close()
