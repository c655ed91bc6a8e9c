"""The index of the runbooks: a line each, with the title and the first sentence of its meaning."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

INDEX: Final = "README.md"
TITLE: Final = re.compile(r"^# (.+?)\s*$", re.MULTILINE)
MEANING: Final = re.compile(r"^## Meaning\s*\n+((?:(?!#).+\n?)+)", re.MULTILINE)
SENTENCE: Final = re.compile(r".+?[.!?](?=\s+[^a-z\s]|\s*$)", re.DOTALL)
"""Up to the first full stop that no lower-case word follows, so that "e.g. a proxy" does not end it."""

HEAD: Final = """# Runbooks

One page per alert; the name of the file is the name of the alert, and every page that figwatch sends links to its own.
This list is written by `make generate` from the pages beside it.

"""


def runbook_index(runbooks: Mapping[str, str]) -> dict[str, str]:
    """Return the index beside the runbooks, as {path: text}.

    ``runbooks`` maps the path of each page (``runbooks/TrafficLost.md``) to its text; an index among them is left out.
    Raises ValueError naming the page that has no title or no Meaning, and where pages lie in more than one folder.
    """
    pages = {PurePosixPath(path): text for path, text in runbooks.items() if PurePosixPath(path).name != INDEX}
    folders = {page.parent for page in pages}
    if len(folders) != 1:
        raise ValueError(f"one folder of runbooks gives one index, these lie in {len(folders)}")
    lines = [_line(page, pages[page]) for page in sorted(pages)]
    return {str(folders.pop() / INDEX): HEAD + "".join(lines)}


def _line(page: PurePosixPath, text: str) -> str:
    title = TITLE.search(text)
    meaning = MEANING.search(text)
    if title is None or meaning is None:
        raise ValueError(f"{page}: needs a title (`# ...`) and a section `## Meaning` that says what the alert means")
    paragraph = " ".join(meaning[1].split())
    sentence = SENTENCE.match(paragraph)
    return f"- [{title[1]}]({page.name}): {sentence[0] if sentence else paragraph}\n"
