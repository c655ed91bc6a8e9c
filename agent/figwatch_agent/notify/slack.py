"""Slack, incoming webhook: each message stands alone; sent by figwatch's own outbox.

Slack does not deduplicate, so a message whose reply was lost may stand there twice; the second one says so.
"""

from figwatch_agent.durations import Instant
from figwatch_agent.model.journal import Delivery
from figwatch_agent.model.secret import ReadSecret, resolved
from figwatch_agent.model.settings import Slack
from figwatch_agent.notify.message import Message, message_for
from figwatch_agent.notify.notifier import Letter
from figwatch_agent.notify.post import encode
from figwatch_agent.notify.slack_blocks import SECTION, blocks, escaped


def letter(settings: Slack, delivery: Delivery, now: Instant, read_secret: ReadSecret) -> Letter:
    """One message; the webhook's URL is the secret."""
    url = resolved(settings.webhook_url, read_secret)
    return Letter(url=url, body=encode(payload(message_for(delivery, now))), secrets=(url,))


def payload(message: Message) -> dict[str, object]:
    """The document of one message; ``text`` is what a notification on a phone shows and a screen reader reads."""
    return {
        "text": escaped(message.subject, SECTION),
        "blocks": blocks(message),
        "unfurl_links": False,
        "unfurl_media": False,
    }
