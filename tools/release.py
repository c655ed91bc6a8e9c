"""Check that the version in the contract and the newest entry of the changelog agree.

The first heading of CHANGELOG.md names the version of ``figwatch.contract``; or it is ``Unreleased``, and the newest
version below it is that version or an older one.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
HEADING: Final = re.compile(r"^## \[?(Unreleased|\d+\.\d+\.\d+)\]?", re.MULTILINE)
VERSION: Final = re.compile(r'^__version__ = "(\d+\.\d+\.\d+)"$', re.MULTILINE)


def disagreement(contract: str, changelog: str) -> str | None:
    """What is wrong between the two texts, or None."""
    version = VERSION.search(contract)
    if version is None:
        return 'instrumentation/figwatch/contract.py: no line __version__ = "X.Y.Z"'
    headings = HEADING.findall(changelog)
    if not headings:
        return "CHANGELOG.md: no heading `## Unreleased` or `## X.Y.Z`"
    if len(set(headings)) != len(headings):
        return "CHANGELOG.md: a version has two headings"
    if headings[0] == "Unreleased":
        newest = headings[1] if len(headings) > 1 else "0.0.0"
        agree = numbers(newest) <= numbers(version[1])
    else:
        newest = headings[0]
        agree = newest == version[1]
    return None if agree else f"CHANGELOG.md: the newest version is {newest}, but figwatch.contract says {version[1]}"


def numbers(version: str) -> tuple[int, ...]:
    """``1.10.0`` as numbers, so that it is newer than ``1.9.0``."""
    return tuple(int(number) for number in version.split("."))


def main() -> int:
    """Read both files and say what differs; returns 1 if anything does."""
    files = (ROOT / "instrumentation/figwatch/contract.py", ROOT / "CHANGELOG.md")
    absent = [str(file.relative_to(ROOT)) for file in files if not file.is_file()]
    problem = f"missing: {', '.join(absent)}" if absent else disagreement(*(file.read_text("utf-8") for file in files))
    if problem is None:
        return 0
    print(problem, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
