"""One suite, every store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from support.stores import FLAVOURS, PrunableStore


@pytest_asyncio.fixture(params=sorted(FLAVOURS))
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[PrunableStore]:
    """An open, empty store of each flavour."""
    made = FLAVOURS[request.param](tmp_path)
    await made.open()
    yield made
    await made.close()
