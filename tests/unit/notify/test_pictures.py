"""The pictures in the documentation show what is sent now."""

import json
import re
from typing import Final

import pytest

from support.parts import ROOT
from support.pictures import fingerprints, pictures

FOLDER: Final = ROOT / "docs" / "pictures" / "messages"
DRAWN: Final = pictures()
LIMIT: Final = 60_000
"""Bytes of one picture."""


def test_no_picture_is_stale() -> None:
    stored = json.loads(FOLDER.joinpath("sources.json").read_text("utf-8"))
    assert stored == fingerprints(DRAWN), "take them anew with `python tools/messages.py --pictures`, and look at them"


def test_there_is_a_picture_of_everything_that_is_drawn_and_of_nothing_else() -> None:
    assert {file.stem for file in FOLDER.glob("*.png")} == set(DRAWN)


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_is_small(name: str) -> None:
    content = FOLDER.joinpath(f"{name}.png").read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(content) < LIMIT


def test_every_picture_is_shown_with_its_message_in_words() -> None:
    text = ROOT.joinpath("docs", "messages.md").read_text("utf-8")
    shown = dict(re.findall(r"!\[([^\]]+)\]\(pictures/messages/([a-z-]+)\.png\)", text))
    assert {name for _, name in re.findall(r"!\[([^\]]+)\]\(pictures/messages/([a-z-]+)\.png\)", text)} == set(DRAWN)
    assert all(len(alternative) > 40 for alternative in shown)


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_loads_nothing_from_elsewhere(name: str) -> None:
    assert not re.search(r"(src|href|url\()", DRAWN[name])
