"""What acceptance tests share: a program that starts agents, a gateway with users, a pager, and a folder in memory."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from support.agent_process import Home, Nursery, nursery
from support.fake_gateway import FakeGateway, running_gateway
from support.folders import quick_folder
from support.pager import RunningPager, running_pager


@pytest.fixture
def folder() -> Iterator[Path]:
    """Removed at the end."""
    with quick_folder() as folder:
        yield folder


@pytest.fixture
async def born(folder: Path) -> AsyncIterator[Nursery]:
    """Starts agents; they die with it."""
    async with nursery(folder) as born:
        yield born


@pytest.fixture
async def gateway() -> AsyncIterator[FakeGateway]:
    """Users come and are served."""
    async with running_gateway() as gateway:
        yield gateway


@pytest.fixture
async def pager() -> AsyncIterator[RunningPager]:
    """Takes what it is sent."""
    async with running_pager() as pager:
        yield pager


@pytest.fixture
def home(folder: Path, gateway: FakeGateway, pager: RunningPager) -> Home:
    """An agent's folder; its files are written when the test has said what is to stand in them."""
    return Home(folder=folder / "home", gateway=gateway, pager=pager)
