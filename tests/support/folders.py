"""Folders for files whose durability a test is not about."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_MEMORY: Final = "/dev/shm"  # noqa: S108 (a folder with a random name of its own is made in it)


@contextmanager
def quick_folder() -> Iterator[Path]:
    """A folder in memory where the machine has such a thing, so that synced writes cost nothing; removed at the end."""
    parent = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="figwatch-", dir=parent) as folder:
        yield Path(folder)
