"""A message in Slack's Block Kit, within its limits (docs.slack.dev, Block Kit reference; read 2026).

From top to bottom as one reads it at night: the headline, what figwatch does, the figures side by side, what to type
and to click, and below a line the evidence. Buttons only link: nothing has to listen for them.
"""

from collections.abc import Sequence
from typing import Any, Final

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ContextBlock,
    DividerBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from figwatch_agent.notify.message import Link, Message
from figwatch_agent.notify.words import fit

BLOCKS: Final = 50
SECTION: Final = 3000
HEADER: Final = 150
FIELD: Final = 2000
FIELDS: Final = 10
BUTTON: Final = 75
BUTTON_URL: Final = 3000
TOGETHER: Final = 12_000
"""Characters of one message. Slack names no number and refuses with msg_blocks_too_long from about 13,000."""

MARKS: Final = {"Page": "🔴", "Ticket": "🟠", "Update": "🔵", "Resolved": "🟢", "Information": "⚪"}
"""Stand before the tag, which says the same in a word."""

_SHARE: Final = TOGETHER // 8
"""Of one part, so that no part of a hostile length leaves nothing for the others."""
_ENTITIES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def blocks(message: Message) -> list[dict[str, Any]]:
    """The blocks of one message."""
    evidence = (
        DividerBlock(),
        _section(message.broke, "What broke"),
        _section(message.why, "Why"),
        _section(message.stages, "Stages"),
    )
    return _filled((*_state(message), *evidence, _context(" · ".join(message.origin))))


def brief(message: Message) -> list[dict[str, Any]]:
    """How things stand, without the evidence: for a first message whose thread tells the rest."""
    said = " · ".join((*message.origin, "what happened stands in the thread"))
    return _filled((*_state(message), _context(said)))


def _state(message: Message) -> tuple[Block | None, ...]:
    mark = MARKS["Page" if message.urgent else message.tag]
    heading = f"{mark} {message.subject}"
    return (
        HeaderBlock(text=PlainTextObject(text=escaped(heading, HEADER), emoji=True)),
        _section((message.subject,)) if len(escape(heading)) > HEADER else None,
        _section([f"⚠️ {note}" for note in message.notes]),
        _section((message.does,), "What figwatch does"),
        _figures(message),
        _steps(message),
        _buttons(message),
    )


def _filled(made: Sequence[Block | None]) -> list[dict[str, Any]]:
    return [block.to_dict() for block in made if block is not None]


def escape(text: str) -> str:
    """The three characters that Slack reads as markup; it asks for no other to be escaped."""
    return text.translate(_ENTITIES)


def escaped(text: str, limit: int) -> str:
    """Escaped, and cut to ``limit``. The length counts after escaping, and an entity must not be cut in half."""
    return escape(fit(text, limit, lambda cut: len(escape(cut))))


def _text(text: str) -> MarkdownTextObject:
    # verbatim: what looks like a link or a channel in somebody's label stays text
    return MarkdownTextObject(text=text, verbatim=True)


def _section(texts: Sequence[str], label: str = "") -> SectionBlock | None:
    told = "\n".join(text for text in texts if text)
    if not told:
        return None
    head = f"*{label}*\n" if label else ""
    return SectionBlock(text=_text(head + escaped(told, _SHARE - len(head))))


def _figures(message: Message) -> SectionBlock | None:
    told = message.figures[:FIELDS]
    if not told:
        return None
    each = min(FIELD, _SHARE // len(told))
    fields = [f"*{figure.label}*\n" for figure in told]
    return SectionBlock(
        fields=[_text(head + escaped(figure.text, each - len(head))) for head, figure in zip(fields, told, strict=True)]
    )


def _steps(message: Message) -> SectionBlock | None:
    if not message.steps:
        return None
    each = _SHARE // len(message.steps)
    lines = [f"{step.text}: {_code(step.command, each - len(step.text) - 4)}" for step in message.steps]
    return SectionBlock(text=_text("*What you can do*\n" + "\n".join(lines)))


def _buttons(message: Message) -> ActionsBlock | None:
    # What one clicks first stands first.
    links = sorted((link for link in message.links if len(link.url) <= BUTTON_URL), key=lambda link: not _opens(link))
    if not links:
        return None
    asked = any(step.command.startswith("figwatch ack ") for step in message.steps)
    return ActionsBlock(elements=[_button(link, asked) for link in links])


def _button(link: Link, asked: bool) -> ButtonElement:
    text = link.text
    if _opens(link):
        text = "Open and acknowledge" if asked else "Open the incident"
    return ButtonElement(
        text=PlainTextObject(text=escaped(text, BUTTON), emoji=False),
        url=link.url,
        action_id=f"figwatch-{link.name}",
        style="primary" if _opens(link) else None,
    )


def _opens(link: Link) -> bool:
    return link.name == "incident"


def _context(said: str) -> ContextBlock:
    return ContextBlock(elements=[_text(escaped(said, _SHARE))])


def _code(text: str, limit: int) -> str:
    return f"`{escaped(text.replace('`', chr(0x2018)), limit)}`"
