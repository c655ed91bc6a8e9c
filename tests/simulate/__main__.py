"""``make simulate``: play with seeds that are fixed, and write what came of it into the pages that claim it.

``make simulate ARGS="certified"`` plays only what is named. The same seeds give the same tables, to the last byte.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from simulate import certified, early, false_pages, outage, sides
from simulate.tables import DOCS, put, table

REGISTRY: Final[dict[str, tuple[str, Callable[[], str]]]] = {
    "certified": ("certified.md", lambda: table(certified.HEADS, certified.rows())),
    "false-pages": ("false-alarms.md", lambda: table(false_pages.HEADS, false_pages.rows())),
    "outages": ("false-alarms.md", lambda: table(outage.HEADS, outage.rows())),
    "early-delays": ("false-alarms.md", lambda: table(early.DELAY_HEADS, early.delay_rows())),
    "early-alarms": ("false-alarms.md", lambda: table(early.ALARM_HEADS, early.alarm_rows())),
    "sides": ("false-alarms.md", lambda: table(sides.HEADS, sides.rows())),
}
"""By the name of a table its page and what makes it."""


def main(arguments: list[str]) -> int:
    """Play; returns 2 for a name that is not known."""
    unknown = [name for name in arguments if name not in REGISTRY]
    if unknown:
        print(f"unknown simulation: {', '.join(unknown)}; there are {', '.join(REGISTRY)}", file=sys.stderr)
        return 2
    for name in arguments or REGISTRY:
        page, made = REGISTRY[name]
        text = made()
        changed = put(DOCS / page, name, text)
        print(f"{text}\n{'wrote' if changed else 'unchanged in'} docs/{page}: {name}\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
