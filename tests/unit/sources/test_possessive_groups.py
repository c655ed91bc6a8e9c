"""Python before 3.11.5 misses what groups that give nothing back match: none of the parser's patterns has one."""

import re

import pytest

from figwatch_agent.sources import exposition_cache, sample_line

PATTERNS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": found.pattern
    for module in (exposition_cache, sample_line)
    for name, found in vars(module).items()
    if isinstance(found, re.Pattern)
}
_POSSESSIVE = re.compile(r"\)[*+?}]\+|\(\?>")


@pytest.mark.parametrize("name", PATTERNS)
def test_no_group_is_possessive(name: str) -> None:
    pattern = PATTERNS[name]
    assert not _POSSESSIVE.search(pattern.decode() if isinstance(pattern, bytes) else pattern)


def test_there_are_patterns() -> None:
    assert {"sample_line.SAMPLE", "sample_line.DATED"} <= PATTERNS.keys()
