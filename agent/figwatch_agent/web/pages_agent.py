"""The agent about itself: whether what the other pages say can be relied on."""

from collections.abc import Mapping
from typing import Any

from figwatch_agent.durations import SECOND, format_seconds
from figwatch_agent.web.pages_story import Headline, Json


def agent_values(document: Json) -> dict[str, Any]:
    """What the template needs beside the document itself."""
    return {"headline": _headline(document), "part": _parts(document["healthy"]), "size": _size(document["store"])}


def _headline(document: Json) -> Headline:
    ill = sorted(name for name, well in document["healthy"].items() if not well)
    down = [source for source in document["sources"] if not source["up"]]
    since = format_seconds(round(document["uptime_seconds"] * SECOND))
    more = f"figwatch {document['agent_version']}, running for {since}."
    if ill:
        what = f"figwatch is not well: {' and '.join(ill)}"
        return Headline(state="bad", sentence=what, more=more, title=f"{what} · figwatch")
    if down:
        number = len(down)
        what = "One scrape target does not answer" if number == 1 else f"{number} scrape targets do not answer"
        return Headline(state="warn", sentence=what, more=more, title=f"{what} · figwatch")
    return Headline(state="ok", sentence="figwatch is well", more=more, title="Agent · figwatch")


def _parts(healthy: Mapping[str, bool]) -> dict[str, tuple[str, str]]:
    """(tone, word) of each part."""
    return {name: ("ok", "well") if well else ("bad", "not well") for name, well in healthy.items()}


def _size(store: Json) -> str:
    size = store["bytes"]
    if size is None:
        return "unknown"
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"
