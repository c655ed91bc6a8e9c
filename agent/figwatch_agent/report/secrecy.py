"""What no page may show, wherever it stands in a text."""

import re
from typing import Final

_USERINFO: Final = re.compile(r"(?<=://)[^/?#\s@]*@")


def without_userinfo(given: str) -> str:
    """A text whose URLs name no user and no password."""
    return _USERINFO.sub("***@", given)
