"""Where the newest view stands, for whoever looks or waits for the next."""

import asyncio
from collections.abc import Callable

from figwatch_agent.model.view import View


class Latest:
    """Keeps the newest view; views are frozen, so readers need no lock."""

    def __init__(self) -> None:
        self._view: View | None = None
        self._published = asyncio.Event()
        self._before: list[Callable[[], None]] = []

    @property
    def latest(self) -> View | None:
        """The newest view; None before the first tick of this process."""
        return self._view

    def before_each(self, forget: Callable[[], None]) -> None:
        """Call ``forget`` before a view is replaced: what was made of the old one goes with its tick."""
        self._before.append(forget)

    def publish(self, view: View) -> None:
        """Called once a tick after the commit."""
        for forget in self._before:
            forget()
        self._view = view
        published, self._published = self._published, asyncio.Event()
        published.set()

    async def after(self, view: View | None) -> View:
        """The newest view, as soon as it is another than this one; who waits long misses those in between."""
        while self._view is None or self._view is view:
            await self._published.wait()
        return self._view
