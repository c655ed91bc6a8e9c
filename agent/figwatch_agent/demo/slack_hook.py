"""What a Slack incoming webhook accepts, and the one word with which it refuses.

Limits are Slack's: 50 blocks a message, 3,000 characters of text in a section, 150 in a header, ten fields of 2,000
in a section, ten elements in a context, 25 in actions; a button has a text of 75 and a URL of 3,000.
"""

import json
from collections.abc import Callable, Mapping
from typing import Final

BLOCK_LIMIT: Final = 50
SECTION_LIMIT: Final = 3000
HEADER_LIMIT: Final = 150
FIELD_LIMIT: Final = 2000
FIELDS_LIMIT: Final = 10
CONTEXT_LIMIT: Final = 10
ACTIONS_LIMIT: Final = 25
BUTTON_LIMIT: Final = 75
URL_LIMIT: Final = 3000
ID_LIMIT: Final = 255
TEXT_TYPES: Final = ("mrkdwn", "plain_text")

Json = Mapping[str, object]


def refusal(raw: str) -> str:
    """Slack's word for what is wrong with this body, or an empty string if the message is posted."""
    try:
        message = json.loads(raw)
    except ValueError:
        return "invalid_payload"
    if not isinstance(message, dict):
        return "invalid_payload"
    return refused_content(message)


def refused_content(message: Json) -> str:
    """The word for what is wrong with text and blocks; empty where nothing is."""
    blocks = message.get("blocks")
    if not _filled(message.get("text")) and not blocks and not message.get("attachments"):
        return "no_text"
    return "" if blocks is None or _blocks_fit(blocks) else "invalid_blocks"


def text_of(raw: str) -> str:
    """What a person reads of an accepted message: its text, else the texts of its blocks, one a line."""
    message: Json = json.loads(raw)
    if _filled(message.get("text")):
        return str(message["text"])
    return "\n".join(_texts(message.get("blocks")))


def _texts(node: object) -> list[str]:
    if isinstance(node, dict):
        own = node.get("text")
        return [own] if isinstance(own, str) else [text for child in node.values() for text in _texts(child)]
    if isinstance(node, list):
        return [text for child in node for text in _texts(child)]
    return []


def _filled(text: object) -> bool:
    return isinstance(text, str) and text != ""


def _blocks_fit(blocks: object) -> bool:
    return isinstance(blocks, list) and len(blocks) <= BLOCK_LIMIT and all(_block_fits(block) for block in blocks)


def _block_fits(block: object) -> bool:
    if not isinstance(block, dict):
        return False
    rule = _RULES.get(str(block.get("type")))
    return rule is not None and rule(block)


def _text_fits(text: object, limit: int, types: tuple[str, ...] = TEXT_TYPES) -> bool:
    if not isinstance(text, dict) or text.get("type") not in types:
        return False
    content = text.get("text")
    return isinstance(content, str) and 1 <= len(content) <= limit


def _section(block: Json) -> bool:
    fields = block.get("fields")
    if fields is not None and not _fields_fit(fields):
        return False
    if "text" in block:
        return _text_fits(block["text"], SECTION_LIMIT)
    return fields is not None


def _fields_fit(fields: object) -> bool:
    if not isinstance(fields, list) or not 1 <= len(fields) <= FIELDS_LIMIT:
        return False
    return all(_text_fits(field, FIELD_LIMIT) for field in fields)


def _header(block: Json) -> bool:
    return _text_fits(block.get("text"), HEADER_LIMIT, ("plain_text",))


def _context(block: Json) -> bool:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= CONTEXT_LIMIT:
        return False
    return all(
        isinstance(one, dict) and (one.get("type") == "image" or _text_fits(one, SECTION_LIMIT)) for one in elements
    )


def _actions(block: Json) -> bool:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= ACTIONS_LIMIT:
        return False
    names = [one.get("action_id") for one in elements if isinstance(one, dict) and one.get("action_id") is not None]
    return len(set(names)) == len(names) and all(isinstance(one, dict) and _element_fits(one) for one in elements)


def _element_fits(element: Json) -> bool:
    if element.get("type") != "button":
        return True
    url, name = element.get("url", ""), element.get("action_id", "")
    return (
        _text_fits(element.get("text"), BUTTON_LIMIT, ("plain_text",))
        and isinstance(url, str)
        and len(url) <= URL_LIMIT
        and isinstance(name, str)
        and len(name) <= ID_LIMIT
        and element.get("style", "primary") in ("primary", "danger")
    )


def _always(_: Json) -> bool:
    return True


_RULES: Final[Mapping[str, Callable[[Json], bool]]] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "divider": _always,
    "image": _always,
    "rich_text": _always,
}
