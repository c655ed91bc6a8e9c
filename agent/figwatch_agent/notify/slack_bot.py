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
from figwatch_agent.model.decision import DecisionOutcome
from figwatch_agent.model.effect import RollbackState
from figwatch_agent.model.incident import RollbackVerdict
from figwatch_agent.model.journal import Delivery, DeliveryResult, DeliveryResultKind
from figwatch_agent.model.page import Page, PageKind
from figwatch_agent.model.secret import ReadSecret, resolved
from figwatch_agent.model.settings import SlackBot
from figwatch_agent.notify.classify import unreadable
from figwatch_agent.notify.message import message_for
from figwatch_agent.notify.slack import payload
from figwatch_agent.notify.slack_calls import Said, SlackCalls
from figwatch_agent.notify.slack_errors import FORM, THREAD

POST: Final = "chat.postMessage"
EDIT: Final = "chat.update"
_KEPT: Final = 1000
_CALLS_A_PERSON: Final = frozenset({RollbackVerdict.INEFFECTIVE, RollbackVerdict.UNVERIFIED})
_STOPPED: Final = frozenset(
    {RollbackState.FAILED, RollbackState.NEEDS_HUMAN, RollbackState.EXPIRED, RollbackState.ABANDONED}
)

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
        words = payload(message_for(delivery, self._clock.now()))
        thread = self._thread(delivery)
        if thread and delivery.row.page.kind in (PageKind.UPDATE, PageKind.RESOLVE):
            thread = await self._edit(calls, thread, words)
        said = await self._post(calls, words, thread, in_channel(delivery.row.page))
        if thread and said.word in THREAD:
            thread = ""
            said = await self._post(calls, words, thread, False)
        if said.result.kind is not DeliveryResultKind.ACCEPTED:
            return said.result
        return self._accepted(delivery, thread or said.ts)

    async def close(self) -> None:
        """The session belongs to whoever opened it."""

    async def _edit(self, calls: SlackCalls, thread: str, words: Mapping[str, object]) -> str:
        """The first message now says how it stands; empty where a person has deleted it."""
        said = await calls.call(EDIT, {"channel": self._settings.channel, "ts": thread, **words})
        if said.word == "message_not_found":
            return ""
        if said.result.kind is not DeliveryResultKind.ACCEPTED:
            _log.info("first message not edited", reason=said.result.reason, detail=said.result.detail)
        return thread

    async def _post(self, calls: SlackCalls, words: Mapping[str, object], thread: str, show: bool) -> Said:
        where: dict[str, object] = {"channel": self._settings.channel}
        if thread:
            where |= {"thread_ts": thread, "reply_broadcast": show}
        said = await calls.call(POST, {**where, **words})
        if said.word in FORM:
            # A page in bare words is worth more than a handsome one that is not taken.
            said = await calls.call(POST, {**where, "text": words["text"]})
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


def in_channel(page: Page) -> bool:
    """Whether a reply is to be seen by those who do not follow the thread: it ends the matter, or asks for a person."""
    if page.kind in (PageKind.TRIGGER, PageKind.RESOLVE):
        return True
    run = page.incident.rollback
    stuck = run is not None and (run.verdict in _CALLS_A_PERSON or run.state in _STOPPED)
    return page.kind is PageKind.UPDATE and (stuck or _awaits_approval(page))


def _awaits_approval(page: Page) -> bool:
    decision, run = page.incident.decision, page.incident.rollback
    return run is None and decision is not None and decision.outcome is DecisionOutcome.AWAITING_APPROVAL


def _topic(delivery: Delivery) -> tuple[str, str]:
    return delivery.row.incident, delivery.row.page.group
