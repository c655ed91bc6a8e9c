"""The placeholder for the window in queries of other tools, and what templating leaves around it."""

import re
from typing import Final

WINDOW: Final = "$window"
"""What stands for the window in a query that was read."""

_ESCAPED: Final = (
    (re.compile(r"\{\{-?\s*`([^`]*)`\s*-?\}\}"), r"\1"),  # Helm: {{`{{.window}}`}}
    (re.compile(r'\{\{-?\s*"(\{\{[^"]*\}\})"\s*-?\}\}'), r"\1"),  # Helm: {{ "{{.window}}" }}
    (
        re.compile(r'\{\{-?\s*"\{\{"\s*-?\}\}(.*?)\{\{-?\s*"\}\}"\s*-?\}\}'),
        r"{{\1}}",
    ),  # Helm: {{ "{{" }}.window{{ "}}" }}
)
_WINDOW_TEMPLATE: Final = re.compile(
    r"\{\{-?\s*\.?\s*window\s*-?\}\}", re.IGNORECASE
)  # Sloth, and jinja's way to write it
_RANGE: Final = re.compile(
    r"\[\s*(?:window|\$\{window\}|\$window|\$__rate_interval|\$__interval|\$__range)\s*(?=[\]:])"
)
_SHIFTED: Final = re.compile(
    r"(?:\s*(?:\boffset\s+-?\s*[0-9a-z]+|@\s*(?:[-+0-9.e]+|(?:start|end)\s*\(\s*\))))+\s*$", re.IGNORECASE
)
_LEFT: Final = re.compile(r"\{\{|\}\}|\$\{|\[\s*\$")


def with_window(text: str) -> str:
    """The query with every known form of the placeholder written as WINDOW."""
    for pattern, plain in _ESCAPED:
        text = pattern.sub(plain, text)
    return _RANGE.sub(f"[{WINDOW}", _WINDOW_TEMPLATE.sub(lambda _: WINDOW, text))


def over_window(selector: str) -> str:
    """A selector over the window, which PromQL wants to stand before any ``offset`` and ``@``."""
    found = _SHIFTED.search(selector)
    cut = found.start() if found else len(selector)
    return f"{selector[:cut].rstrip()}[{WINDOW}]{selector[cut:]}"


def template_left(text: str) -> bool:
    """Whether a template of another kind is left in a query that ``with_window`` has seen."""
    return _LEFT.search(text.replace(WINDOW, "")) is not None
