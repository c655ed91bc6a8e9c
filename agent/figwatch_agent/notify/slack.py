"""Slack, incoming webhook: Block Kit built from slack_sdk's models and sent by figwatch's own outbox.

Slack does not deduplicate, so a message whose reply was lost may stand there twice; the second one says so.
"""

from typing import Final

from slack_sdk.models.blocks import Block, HeaderBlock, MarkdownTextObject, PlainTextObject, SectionBlock

from figwatch_agent.durations import Instant
from figwatch_agent.model.journal import Delivery
from figwatch_agent.model.secret import ReadSecret, resolved
from figwatch_agent.model.settings import Slack
from figwatch_agent.notify.message import Line, Link, Message, message_for
from figwatch_agent.notify.notifier import Letter
from figwatch_agent.notify.post import encode
from figwatch_agent.notify.words import fit

BLOCK_LIMIT: Final = 50
SECTION_LIMIT: Final = 3000
HEADER_LIMIT: Final = 150
_ENTITIES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def letter(settings: Slack, delivery: Delivery, now: Instant, read_secret: ReadSecret) -> Letter:
    """One message; the webhook's URL is the secret."""
    url = resolved(settings.webhook_url, read_secret)
    return Letter(url=url, body=encode(payload(message_for(delivery, now))), secrets=(url,))


def payload(message: Message) -> dict[str, object]:
    """The document of one message; ``text`` is what a notification on a phone shows."""
    blocks: list[Block] = [HeaderBlock(text=PlainTextObject(text=_escaped(message.subject, HEADER_LIMIT), emoji=False))]
    if len(message.subject) > HEADER_LIMIT:
        blocks.append(_section(_escaped(message.subject, SECTION_LIMIT)))
    blocks += [_section(_line(line)) for line in message.lines]
    if message.links:
        blocks.append(_section(" · ".join(_link(link) for link in message.links)))
    return {
        "text": _escaped(message.subject, SECTION_LIMIT),
        "blocks": [block.to_dict() for block in blocks[:BLOCK_LIMIT]],
    }


def escape(text: str) -> str:
    """The three characters that Slack reads as markup; it asks for no other to be escaped."""
    return text.translate(_ENTITIES)


def _escaped(text: str, limit: int) -> str:
    # The length counts after escaping, and an entity must not be cut in half.
    return escape(fit(text, limit, lambda cut: len(escape(cut))))


def _section(text: str) -> SectionBlock:
    # verbatim: what looks like a link or a channel in somebody's label stays text
    return SectionBlock(text=MarkdownTextObject(text=text, verbatim=True))


def _line(line: Line) -> str:
    label = f"*{escape(line.label)}*\n"
    return label + _escaped("\n".join(line.texts), SECTION_LIMIT - len(label))


def _link(link: Link) -> str:
    return f"<{escape(link.url)}|{escape(link.text)}>"
