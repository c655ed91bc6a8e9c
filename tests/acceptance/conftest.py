"""What acceptance tests share: a program that starts agents, a gateway with users, a pager, and a folder in memory."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from support.agent_process import Home, Nursery, nursery
from support.fake_gateway import FakeGateway, running_gateway
from support.folders import quick_folder
from support.pager import RunningPager, running_pager
from support.scene import Scene


@pytest.fixture
def folder() -> Iterator[Path]:
    """Removed at the end."""
    with quick_folder() as folder:
        yield folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def born() -> AsyncIterator[Nursery]:
    """Starts agents; they die with it. Loading everything once takes longer than most tests."""
    with quick_folder() as folder:
        async with nursery(folder) as born:
            yield born


@pytest_asyncio.fixture(loop_scope="session")
async def gateway() -> AsyncIterator[FakeGateway]:
    """Users come and are served."""
    async with running_gateway() as gateway:
        yield gateway


@pytest_asyncio.fixture(loop_scope="session")
async def pager() -> AsyncIterator[RunningPager]:
    """Takes what it is sent."""
    async with running_pager() as pager:
        yield pager


@pytest.fixture
def home(folder: Path, gateway: FakeGateway, pager: RunningPager) -> Home:
    """An agent's folder; its files are written when the test has said what is to stand in them."""
    return Home(folder=folder / "home", gateway=gateway, pager=pager)


@pytest_asyncio.fixture(loop_scope="session")
async def scene(home: Home, born: Nursery) -> AsyncIterator[Scene]:
    """All of it; the agent, if one was started, is stopped at the end."""
    scene = Scene(home, born)
    yield scene
    if scene.agent is not None:
        await scene.agent.stop()
