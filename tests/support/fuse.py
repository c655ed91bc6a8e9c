"""Sudden death at a chosen instant, without a process: enumerated by counting the instants at which it could strike."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any


class Killed(BaseException):
    """Nothing catches this: what runs is gone."""


class Fuse:
    """Counts instants over all lives, and kills at those whose numbers it was given."""

    def __init__(self, *kills: int) -> None:
        self._kills = frozenset(kills)
        self.passed: list[str] = []  # labels of all instants, those of kills included
        self.struck: list[str] = []  # labels of the instants at which it killed

    def point(self, label: str) -> None:
        """An instant at which everything may end."""
        number = len(self.passed)
        self.passed.append(label)
        if number in self._kills:
            self.struck.append(label)
            raise Killed(label)


class Mortal:
    """Wraps anything with async methods: before and after each call of those named, everything may end."""

    def __init__(self, inner: Any, fuse: Fuse, labels: dict[str, Callable[..., str]]) -> None:
        self._inner = inner
        self._fuse = fuse
        self._labels = labels

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name not in self._labels:
            return method

        async def call(*arguments: Any, **named: Any) -> Any:
            label = f"{name} {self._labels[name](*arguments, **named)}"
            self._fuse.point(f"before {label}")
            result = await method(*arguments, **named)
            self._fuse.point(f"after {label}")
            return result

        return call


async def every_single_kill(story: Callable[[Fuse], Awaitable[None]]) -> int:
    """Run the story once without a kill, then with one at every instant; how many runs that were."""
    calm = Fuse()
    await story(calm)
    for number in range(len(calm.passed)):
        fuse = Fuse(number)
        await story(fuse)
        assert len(fuse.struck) == 1
    return len(calm.passed) + 1


async def every_double_kill(story: Callable[[Fuse], Awaitable[None]]) -> int:
    """Run the story with two kills at every pair of instants; the second life may be longer than the first."""
    runs = 0
    for first in _upwards():
        for second in _upwards(first + 1):
            fuse = Fuse(first, second)
            await story(fuse)
            runs += 1
            if len(fuse.struck) < 2:
                break
        if not fuse.struck:
            return runs
    raise AssertionError("there is always an end")


def _upwards(start: int = 0) -> Iterator[int]:
    while True:
        yield start
        start += 1
