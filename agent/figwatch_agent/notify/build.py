"""From a receiver's settings to the part that speaks to it; what one kind alone needs is loaded where it is used."""

from collections.abc import Callable
from functools import partial

import aiohttp

from figwatch_agent.clock import Clock
from figwatch_agent.model.journal import DeliveryResult
from figwatch_agent.model.secret import ReadSecret
from figwatch_agent.model.settings import Alertmanager, PagerDuty, Receiver, Slack, SlackBot, Webhook
from figwatch_agent.notify import pagerduty, webhook
from figwatch_agent.notify.notifier import PostNotifier, Write
from figwatch_agent.ports import Notifier

ObserveMember = Callable[[str, str, DeliveryResult], None]
"""Told of every request to a member of an Alertmanager: receiver, the member's place in the list, result."""


def _unobserved(receiver: str, member: str, result: DeliveryResult) -> None:
    return


def notifier_for(
    receiver: Receiver,
    session: aiohttp.ClientSession,
    read_secret: ReadSecret,
    clock: Clock,
    observe: ObserveMember = _unobserved,
) -> Notifier:
    """The notifier of ``receiver``."""
    kind = receiver.kind
    if isinstance(kind, Alertmanager):
        from figwatch_agent.notify.alertmanager_notifier import AlertmanagerNotifier

        return AlertmanagerNotifier(kind, session, read_secret, clock, partial(observe, receiver.name))
    if isinstance(kind, SlackBot):
        from figwatch_agent.notify.slack_bot import SlackBotNotifier

        return SlackBotNotifier(kind, session, read_secret, clock)
    return PostNotifier(_writing(kind), session, read_secret, clock)


def _writing(kind: PagerDuty | Slack | Webhook) -> Write:
    if isinstance(kind, PagerDuty):
        return partial(pagerduty.letter, kind)
    if isinstance(kind, Slack):
        from figwatch_agent.notify import slack

        return partial(slack.letter, kind)
    return partial(webhook.letter, kind)


def open_session() -> aiohttp.ClientSession:
    """A session for all receivers: each request on a connection of its own.

    On a kept connection that the other side just closed, a request fails in a way that looks as if it might have
    arrived; pages are too few for reuse to be worth that doubt.
    """
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True), cookie_jar=aiohttp.DummyCookieJar())
