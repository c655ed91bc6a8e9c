"""The runbooks that pages link to: a team's own where they stand, else those that come with figwatch."""

from importlib.resources import files
from pathlib import Path
from typing import Final

from figwatch_agent.model.names import AlertName

FOLDER: Final = "runbooks"
"""Beside figwatch.yaml, where `figwatch init` writes them."""

MOST_CHARACTERS: Final = 256 * 1024
"""Of one page; more is no runbook, and is cut."""


def read_runbooks(settings_path: str) -> dict[str, str]:
    """Alert name -> Markdown, one for every alert. A page that cannot be read is the one that comes with figwatch."""
    own = Path(settings_path).parent / FOLDER
    packaged = files("figwatch_agent").joinpath("scaffold", FOLDER)
    found = {}
    for name in AlertName:
        file = f"{name.value}.md"
        try:
            text = own.joinpath(file).read_text("utf-8", errors="replace")
        except OSError:
            text = packaged.joinpath(file).read_text("utf-8")
        found[name.value] = text[:MOST_CHARACTERS]
    return found
