"""The index of the runbooks: each page once, in one order, to the byte."""

from __future__ import annotations

from random import Random

import pytest

from figwatch_agent.generate.runbook_index import runbook_index
from support.parts import ROOT

FAST = """# Error budget burns fast

## Meaning

A route fails at more than 14.4 times the rate that its budget allows, e.g. because a
model is overloaded. Two windows agree.

## Impact

Users see errors.
"""
LOST = "# Traffic lost\n\n## Meaning\nNo request arrives at the edge any more\n\n## Impact\n\nNone.\n"
PAGES = {"runbooks/TrafficLost.md": LOST, "runbooks/ErrorBudgetBurnFast.md": FAST}


def test_the_index_is_the_golden_file_to_the_byte() -> None:
    golden = ROOT.joinpath("tests/golden/runbook_index/README.md").read_text("utf-8")
    assert runbook_index(PAGES) == {"runbooks/README.md": golden}


def test_the_order_of_the_input_does_not_matter() -> None:
    pages = [(f"runbooks/{name}.md", FAST) for name in "ABCDEF"]
    Random(7).shuffle(pages)
    assert runbook_index(dict(pages)) == runbook_index(dict(sorted(pages)))


def test_an_index_among_the_pages_is_left_out() -> None:
    assert runbook_index({**PAGES, "runbooks/README.md": "an old index"}) == runbook_index(PAGES)


@pytest.mark.parametrize(
    "text", ["## Meaning\n\nNo title.\n", "# Title\n\n## Impact\n\nNo meaning.\n", "# T\n\n## Meaning\n"]
)
def test_a_page_without_title_or_meaning_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"runbooks/Bad\.md: needs a title"):
        runbook_index({"runbooks/Bad.md": text})


def test_pages_from_two_folders_are_refused() -> None:
    with pytest.raises(ValueError, match="these lie in 2"):
        runbook_index({"a/X.md": FAST, "b/Y.md": FAST})


def test_no_page_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="these lie in 0"):
        runbook_index({})
