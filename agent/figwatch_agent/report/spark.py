"""A ratio over time in one line of text: eight heights, and a dot where nothing was measured."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import groupby
from typing import Final

BLOCKS: Final = "▁▂▃▄▅▆▇█"
PLAIN: Final = "_.-=+*#@"
"""For terminals that show nothing but ASCII."""

UNKNOWN: Final = {BLOCKS: "·", PLAIN: "?"}


def spark(ratios: Sequence[Fraction | None], width: int, heights: str = BLOCKS) -> str:
    """At most ``width`` characters, oldest first. Of values that share a character the highest is shown.

    A ratio is from 0 to 1; whatever is above 0 never looks like 0. Values that were not measured are left out of a
    character that has one that was.
    """
    count = len(ratios)
    places = [(place * min(width, count) // count, ratio) for place, ratio in enumerate(ratios)]
    return "".join(
        _height([ratio for _, ratio in group if ratio is not None], heights)
        for _, group in groupby(places, key=lambda pair: pair[0])
    )


def _height(known: Sequence[Fraction], heights: str) -> str:
    if not known:
        return UNKNOWN[heights]
    most = min(max(known), Fraction(1))
    least = 1 if most > 0 else 0
    return heights[max(least, min(int(most * len(heights)), len(heights) - 1))]
