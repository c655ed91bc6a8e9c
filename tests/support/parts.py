"""Programs and data that a test may need and a machine may lack.

A test says ``@pytest.mark.needs("promtool")`` and asks ``program("promtool")`` for the path. Where the part is
missing, the test is listed at the end under "not run on this machine", and fails in CI. What only shows while a test
runs (no right to mount a tmpfs, no IPv6) is said by ``not_here``.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Final, NoReturn

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
"""The checkout."""

SHARED: Final = ROOT.parent / "shared" / "data"
"""Other projects' schemas, beside the checkout; a part named ``shared:NAME`` is a file or folder in there."""

NOT_HERE: Final = "not run on this machine: "
"""How the reason of every skip begins; a skip that does not say this is a failure."""


def why_missing(part: str) -> str | None:
    """Why ``part`` cannot be used here, or None if it can."""
    if part.startswith("shared:"):
        path = SHARED / part.removeprefix("shared:")
        return None if path.exists() else f"{part} (no {path.name} in ../shared/data)"
    account = _account().get(part, {})
    if _program(part) is not None:
        return None
    return f"{part} ({account.get('missing', 'not on the PATH; `make parts` unpacks what can be unpacked')})"


def program(part: str) -> Path:
    """The program of a part that the test has declared with ``needs``."""
    path = _program(part)
    if path is None:
        raise LookupError(f"{part} is missing: mark the test with @pytest.mark.needs({part!r})")
    return path


def shared(name: str) -> Path:
    """A file or folder of ../shared/data that the test has declared with ``needs("shared:NAME")``."""
    path = SHARED / name
    if not path.exists():
        raise LookupError(f"{path} is missing: mark the test with @pytest.mark.needs('shared:{name}')")
    return path


def not_here(reason: str) -> NoReturn:
    """End the running test, or leave out the file being imported: this machine cannot run it, for ``reason``."""
    pytest.skip(NOT_HERE + reason, allow_module_level=True)


def _program(part: str) -> Path | None:
    listed = _account().get(part, {}).get("path")
    if listed is not None and Path(listed).is_file():
        return Path(listed)
    found = shutil.which(part)
    return None if found is None else Path(found)


def _account() -> dict[str, dict[str, str]]:
    file = ROOT / ".parts" / "parts.json"
    accounts: dict[str, dict[str, str]] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    return accounts
