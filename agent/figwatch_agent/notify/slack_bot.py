"""Slack, Web API: the first message of an incident stands in the channel, what follows goes into its thread.

- The first message is edited with each update and with the resolve, so that whoever comes to the channel later reads in
  its header how it stands now, and not an alarm that is over. Editing twice does no harm, so it comes first, and what
  becomes of it decides nothing.
- Then the update is posted into the thread, where the history stays. A resolve, and whatever asks for a person, is also
  shown in the channel: people who are not in the thread hear nothing of a reply, and nothing of an edit.
- Slack offers apps no way to drop a second post of the same message (its client_msg_id is for its own clients), so a
  message whose reply was lost may stand there twice; the second one says so.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

import aiohttp
import structlog

from figwatch_agent.clock import Clock
from figwatch_agent.errors import SecretUnreadable
from figwatch_agent.model.journal import Delivery, DeliveryResult, DeliveryResultKind
from figwatch_agent.model.page import Page, PageKind
from figwatch_agent.model.secret import ReadSecret, resolved
from figwatch_agent.model.settings import SlackBot
from figwatch_agent.notify.classify import unreadable
from figwatch_agent.notify.judgement import asks_for_a_person
from figwatch_agent.notify.message import Message, message_for
from figwatch_agent.notify.slack import payload
from figwatch_agent.notify.slack_blocks import brief
from figwatch_agent.notify.slack_calls import Said, SlackCalls
from figwatch_agent.notify.slack_errors import FORM, THREAD

POST: Final = "chat.postMessage"
EDIT: Final = "chat.update"
EDITS: Final = frozenset({PageKind.UPDATE, PageKind.RESOLVE})
"""What changes how things stand."""
_KEPT: Final = 1000

_log = structlog.get_logger(__name__)


class SlackBotNotifier:
    """ports.Notifier of one channel."""

    def __init__(
        self, settings: SlackBot, session: aiohttp.ClientSession, read_secret: ReadSecret, clock: Clock
    ) -> None:
        self._settings = settings
        self._session = session
        self._read_secret = read_secret
        self._clock = clock
        # For what is sent while the store cannot be read: what the store knows comes with the delivery.
        self._threads: OrderedDict[tuple[str, str], str] = OrderedDict()

    async def deliver(self, delivery: Delivery) -> DeliveryResult:
        """One message, into the thread where there is one."""
        try:
            token = resolved(self._settings.bot_token, self._read_secret)
        except SecretUnreadable as error:
            return unreadable(str(error))
        calls = SlackCalls(self._settings.url, token, self._session, self._clock)
        message = message_for(delivery, self._clock.now())
        words = payload(message)
        thread = self._thread(delivery)
        if thread and delivery.row.page.kind in EDITS:
            thread = await self._edit(calls, thread, message)
        said = await self._post(calls, words, thread, in_channel(delivery.row.page))
        if thread and said.word in THREAD:
            thread = ""
            said = await self._post(calls, words, thread, False)
        if said.result.kind is not DeliveryResultKind.ACCEPTED:
            return said.result
        return self._accepted(delivery, thread or said.ts)

    async def close(self) -> None:
        """The session belongs to whoever opened it."""

    async def _edit(self, calls: SlackCalls, thread: str, message: Message) -> str:
        """The first message now says how it stands; empty where a person has deleted it."""
        said = await calls.call(EDIT, edit(self._settings.channel, thread, message))
        if said.word == "message_not_found":
            return ""
        if said.result.kind is not DeliveryResultKind.ACCEPTED:
            _log.info("first message not edited", reason=said.result.reason, detail=said.result.detail)
        return thread

    async def _post(self, calls: SlackCalls, words: Mapping[str, object], thread: str, show: bool) -> Said:
        said = await calls.call(POST, post(self._settings.channel, thread, words, show))
        if said.word in FORM:
            # A page in bare words is worth more than a handsome one that is not taken.
            said = await calls.call(POST, post(self._settings.channel, thread, {"text": words["text"]}, show))
        return said

    def _thread(self, delivery: Delivery) -> str:
        """The ts of the first message, if it stands in the channel that is configured now."""
        known = delivery.message_id or self._threads.get(_topic(delivery), "")
        channel, _, ts = known.partition("/")
        return ts if channel == self._settings.channel else ""

    def _accepted(self, delivery: Delivery, ts: str) -> DeliveryResult:
        name = f"{self._settings.channel}/{ts}" if ts else ""
        if name:
            self._threads[_topic(delivery)] = name
            self._threads.move_to_end(_topic(delivery))
            while len(self._threads) > _KEPT:
                self._threads.popitem(last=False)
        return DeliveryResult(kind=DeliveryResultKind.ACCEPTED, message_id=name)


def edit(channel: str, thread: str, message: Message) -> dict[str, object]:
    """The arguments of chat.update: how things stand, for the evidence stands in the thread."""
    return {"channel": channel, "ts": thread, "text": payload(message)["text"], "blocks": brief(message)}


def post(channel: str, thread: str, words: Mapping[str, object], show: bool) -> dict[str, object]:
    """The arguments of chat.postMessage; ``show`` a reply in the channel too."""
    where = {"channel": channel, "thread_ts": thread, "reply_broadcast": show} if thread else {"channel": channel}
    return {**where, **words}


def in_channel(page: Page) -> bool:
    """Whether a reply is to be seen by those who do not follow the thread: it ends the matter, or asks for a person."""
    return page.kind in (PageKind.TRIGGER, PageKind.RESOLVE) or asks_for_a_person(page)


def _topic(delivery: Delivery) -> tuple[str, str]:
    return delivery.row.incident, delivery.row.page.group
